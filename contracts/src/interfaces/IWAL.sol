// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title WAL token
/// @notice ERC-20 with permit, burning and votes. 9 decimals; the smallest unit is a FROST. The supply of
/// 5,000,000,000 WAL is minted once and can only fall.
interface IWAL is IERC20, IERC20Permit {
    /// @notice Destroys `amount` FROST of the caller.
    function burn(uint256 amount) external;

    /// @notice Destroys `amount` FROST of `account` out of the caller's allowance.
    function burnFrom(address account, uint256 amount) external;
}
