// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev BLAKE2b-256 step by step after RFC 7693, slow and obvious; the oracle for the precompile version.
library PlainBlake2b {
    function hash(bytes memory data) internal pure returns (bytes32) {
        uint64[8] memory h = _iv();
        h[0] ^= 0x01010020;
        uint256 blocks = data.length == 0 ? 1 : (data.length + 127) / 128;
        for (uint256 b = 0; b < blocks; ++b) {
            bool last = b + 1 == blocks;
            uint64[16] memory m;
            for (uint256 i = 0; i < 128 && 128 * b + i < data.length; ++i) {
                m[i / 8] |= uint64(uint8(data[128 * b + i])) << uint64(8 * (i % 8));
            }
            _compress(h, m, last ? uint64(data.length) : uint64(128 * (b + 1)), last);
        }
        bytes memory out = new bytes(32);
        for (uint256 i = 0; i < 32; ++i) {
            out[i] = bytes1(uint8(h[i / 8] >> uint64(8 * (i % 8))));
        }
        return bytes32(out);
    }

    function _compress(uint64[8] memory h, uint64[16] memory m, uint64 counter, bool last) private pure {
        uint64[8] memory iv = _iv();
        uint64[16] memory v;
        for (uint256 i = 0; i < 8; ++i) {
            (v[i], v[i + 8]) = (h[i], iv[i]);
        }
        v[12] ^= counter;
        if (last) v[14] = ~v[14];
        bytes16[10] memory sigma = [
            bytes16(hex"000102030405060708090a0b0c0d0e0f"),
            hex"0e0a0408090f0d06010c00020b070503",
            hex"0b080c0005020f0d0a0e030607010904",
            hex"070903010d0c0b0e0206050a04000f08",
            hex"0900050702040a0f0e010b0c0608030d",
            hex"020c060a000b0803040d07050f0e0109",
            hex"0c05010f0e0d040a000706030902080b",
            hex"0d0b070e0c01030905000f040806020a",
            hex"060f0e090b0300080c020d0701040a05",
            hex"0a020804070601050f0b090e030c0d00"
        ];
        for (uint256 r = 0; r < 12; ++r) {
            bytes16 s = sigma[r % 10];
            for (uint256 i = 0; i < 8; ++i) {
                // Four columns, then four diagonals.
                uint256 turn = i < 4 ? 0 : 1;
                uint256 a = i % 4;
                _mix(
                    v,
                    [a, 4 + (a + turn) % 4, 8 + (a + 2 * turn) % 4, 12 + (a + 3 * turn) % 4],
                    m[uint8(s[2 * i])],
                    m[uint8(s[2 * i + 1])]
                );
            }
        }
        for (uint256 i = 0; i < 8; ++i) {
            h[i] ^= v[i] ^ v[i + 8];
        }
    }

    function _mix(uint64[16] memory v, uint256[4] memory q, uint64 x, uint64 y) private pure {
        unchecked {
            v[q[0]] += v[q[1]] + x;
            v[q[3]] = _rotate(v[q[3]] ^ v[q[0]], 32);
            v[q[2]] += v[q[3]];
            v[q[1]] = _rotate(v[q[1]] ^ v[q[2]], 24);
            v[q[0]] += v[q[1]] + y;
            v[q[3]] = _rotate(v[q[3]] ^ v[q[0]], 16);
            v[q[2]] += v[q[3]];
            v[q[1]] = _rotate(v[q[1]] ^ v[q[2]], 63);
        }
    }

    function _rotate(uint64 x, uint64 by) private pure returns (uint64) {
        return x >> by | x << (64 - by);
    }

    function _iv() private pure returns (uint64[8] memory) {
        return [
            0x6a09e667f3bcc908,
            0xbb67ae8584caa73b,
            0x3c6ef372fe94f82b,
            0xa54ff53a5f1d36f1,
            0x510e527fade682d1,
            0x9b05688c2b3e6c1f,
            0x1f83d9abfb41bd6b,
            0x5be0cd19137e2179
        ];
    }
}
