// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20, SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IDevExchange } from "./interfaces/IDevExchange.sol";

/// @title Exchange of test networks
contract DevExchange is IDevExchange, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IDevExchange
    address public immutable WAL;
    /// @inheritdoc IDevExchange
    uint256 public immutable WEI_PER_FROST;

    /// @param wal The WAL token
    /// @param weiPerFrost Price; 10^9 makes one WAL cost one unit of the gas token
    constructor(address wal, uint256 weiPerFrost) {
        if (weiPerFrost == 0) revert NoRate();
        WAL = wal;
        WEI_PER_FROST = weiPerFrost;
    }

    /// @inheritdoc IDevExchange
    function buy(address to) external payable nonReentrant returns (uint256 amount) {
        amount = msg.value / WEI_PER_FROST;
        if (amount == 0) revert NothingToExchange(msg.value);
        emit WalBought(msg.sender, to, amount, msg.value);
        IERC20(WAL).safeTransfer(to, amount);
    }

    /// @inheritdoc IDevExchange
    function sell(uint256 amount, address payable to) external nonReentrant returns (uint256 paid) {
        if (amount == 0) revert NothingToExchange(amount);
        paid = amount * WEI_PER_FROST;
        emit WalSold(msg.sender, to, amount, paid);
        IERC20(WAL).safeTransferFrom(msg.sender, address(this), amount);
        (bool ok,) = to.call{ value: paid }("");
        if (!ok) revert PaymentRefused(to, paid);
    }
}
