// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Burnable } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import { ERC20Votes } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import { Nonces } from "@openzeppelin/contracts/utils/Nonces.sol";
import { Time } from "@openzeppelin/contracts/utils/types/Time.sol";

/// @title WAL token
/// @notice Fixed supply of 5,000,000,000 WAL with 9 decimals (5·10^18 FROST), minted once. Nobody can mint later;
/// holders may burn. Votes run on the timestamp clock. Not upgradable. See `IWAL` for the interface.
contract WAL is ERC20Burnable, ERC20Permit, ERC20Votes {
    /// @notice Total supply at birth, in FROST.
    uint256 public constant INITIAL_SUPPLY = 5_000_000_000 * 10 ** 9;

    /// @param holder Receives the whole supply
    constructor(address holder) ERC20("WAL Token", "WAL") ERC20Permit("WAL Token") {
        _mint(holder, INITIAL_SUPPLY);
    }

    /// @notice 9: one WAL is 10^9 FROST.
    function decimals() public pure override returns (uint8) {
        return 9;
    }

    /// @notice Votes are counted by timestamp.
    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    /// @notice Machine-readable description of the clock (ERC-6372).
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @notice Next unused nonce of `owner` for permits and delegations by signature.
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
