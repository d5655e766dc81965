// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC721 } from "solady/tokens/ERC721.sol";
import { LibString } from "solady/utils/LibString.sol";
import { IBlobNFT } from "./interfaces/IBlobNFT.sol";
import { BlobFlags, BlobRecord } from "./types/Blob.sol";

/// @title Blobs as ERC-721
contract BlobNFT is IBlobNFT, ERC721 {
    /// @notice Longest attribute key in bytes.
    uint256 public constant MAX_KEY_LENGTH = 64;
    /// @notice Longest attribute value in bytes.
    uint256 public constant MAX_VALUE_LENGTH = 1024;
    /// @notice Most attributes of one token.
    uint256 public constant MAX_ATTRIBUTES = 32;

    /// @notice The proxy of `WalrusSystem`, which alone writes here.
    address public immutable SYSTEM;

    /// @dev `place` is the position in the key list plus 1; 0 means that there is no such attribute.
    struct Attribute {
        string value;
        uint8 place;
    }

    uint64 private _count;
    mapping(uint256 tokenId => BlobRecord) private _records;
    mapping(uint256 tokenId => string[]) private _keys;
    mapping(uint256 tokenId => mapping(string key => Attribute)) private _attributes;

    modifier onlySystem() {
        if (msg.sender != SYSTEM) revert NotSystem(msg.sender);
        _;
    }

    /// @param system Proxy of `WalrusSystem`
    constructor(address system) {
        SYSTEM = system;
    }

    /// @inheritdoc IBlobNFT
    function mint(address to, BlobRecord calldata record_) external onlySystem returns (uint256 tokenId) {
        tokenId = ++_count;
        _records[tokenId] = record_;
        // No callback: a receiver cannot interfere with registration.
        _mint(to, tokenId);
    }

    /// @inheritdoc IBlobNFT
    function setCertified(uint256 tokenId, uint32 epoch, uint32 logIndex) external onlySystem {
        BlobRecord storage r = _records[tokenId];
        r.certifiedEpoch = epoch;
        r.logIndex = logIndex;
    }

    /// @inheritdoc IBlobNFT
    function setEnd(uint256 tokenId, uint32 endEpoch) external onlySystem {
        _records[tokenId].endEpoch = endEpoch;
    }

    /// @inheritdoc IBlobNFT
    function retire(uint256 tokenId, uint8 flag) external onlySystem {
        _records[tokenId].flags |= flag;
        _burn(tokenId);
    }

    /// @inheritdoc IBlobNFT
    function setAttribute(uint256 tokenId, string calldata k, string calldata v) external onlySystem {
        if (bytes(k).length == 0 || bytes(k).length > MAX_KEY_LENGTH) revert BadAttributeKey(bytes(k).length);
        if (bytes(v).length == 0 || bytes(v).length > MAX_VALUE_LENGTH) revert BadAttributeValue(bytes(v).length);
        Attribute storage a = _attributes[tokenId][k];
        if (a.place == 0) {
            string[] storage keys = _keys[tokenId];
            if (keys.length == MAX_ATTRIBUTES) revert TooManyAttributes(tokenId, MAX_ATTRIBUTES);
            keys.push(k);
            a.place = uint8(keys.length);
        }
        a.value = v;
    }

    /// @inheritdoc IBlobNFT
    function removeAttribute(uint256 tokenId, string calldata k) external onlySystem {
        uint256 place = _attributes[tokenId][k].place;
        if (place == 0) revert UnknownAttribute(tokenId, k);
        string[] storage keys = _keys[tokenId];
        if (place != keys.length) {
            string memory last = keys[keys.length - 1];
            keys[place - 1] = last;
            _attributes[tokenId][last].place = uint8(place);
        }
        keys.pop();
        delete _attributes[tokenId][k];
    }

    /// @inheritdoc IBlobNFT
    function record(uint256 tokenId) public view returns (BlobRecord memory r) {
        r = _records[tokenId];
        // Nothing can be registered in epoch 0.
        if (r.registeredEpoch == 0) revert UnknownBlob(tokenId);
    }

    /// @inheritdoc IBlobNFT
    function count() external view returns (uint64) {
        return _count;
    }

    /// @inheritdoc IBlobNFT
    function isApprovedOrOwner(address account, uint256 tokenId) external view returns (bool) {
        return _exists(tokenId) && _isApprovedOrOwner(account, tokenId);
    }

    /// @inheritdoc IBlobNFT
    function attribute(uint256 tokenId, string calldata k) external view returns (string memory) {
        if (!_exists(tokenId)) return "";
        return _attributes[tokenId][k].value;
    }

    /// @inheritdoc IBlobNFT
    function attributes(uint256 tokenId) external view returns (string[] memory keys, string[] memory values) {
        if (!_exists(tokenId)) return (keys, values);
        keys = _keys[tokenId];
        values = new string[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            values[i] = _attributes[tokenId][keys[i]].value;
        }
    }

    /// @inheritdoc IBlobNFT
    function ownerOf(uint256 tokenId) public view override(ERC721, IBlobNFT) returns (address) {
        return super.ownerOf(tokenId);
    }

    /// @notice Name of the collection.
    function name() public pure override returns (string memory) {
        return "Walrus Blob";
    }

    /// @notice Symbol of the collection.
    function symbol() public pure override returns (string memory) {
        return "WBLOB";
    }

    /// @notice A small JSON document with blob id, size and end epoch.
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        BlobRecord memory r = record(tokenId);
        return string.concat(
            'data:application/json;utf8,{"name":"Walrus blob ',
            LibString.toString(tokenId),
            '","blobId":"',
            LibString.toHexString(uint256(r.blobId), 32),
            '","size":',
            LibString.toString(r.size),
            ',"endEpoch":',
            LibString.toString(r.endEpoch),
            ',"deletable":',
            r.flags & BlobFlags.DELETABLE != 0 ? "true}" : "false}"
        );
    }
}
