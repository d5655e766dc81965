// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Exchange of test networks
/// @notice WAL for the gas token at a rate fixed at deployment, both ways, as far as it holds either. Without owner; fund
/// it by a transfer of WAL. Not for networks on which WAL has a price.
interface IDevExchange {
    /// @notice WAL was bought. `paid` in wei, `amount` in FROST.
    event WalBought(address indexed from, address indexed to, uint256 amount, uint256 paid);
    /// @notice WAL was sold. `paid` in wei, `amount` in FROST.
    event WalSold(address indexed from, address indexed to, uint256 amount, uint256 paid);

    /// @notice The rate must not be 0.
    error NoRate();
    /// @notice Too little for one FROST.
    error NothingToExchange(uint256 given);
    /// @notice The receiver does not take the gas token, or the exchange holds too little of it.
    error PaymentRefused(address to, uint256 paid);

    /// @notice Gives WAL for the gas token sent. What is less than the price of one FROST stays here.
    /// @return amount FROST sent to `to`
    function buy(address to) external payable returns (uint256 amount);

    /// @notice Gives the gas token for WAL out of the caller's allowance.
    /// @return paid Wei sent to `to`
    function sell(uint256 amount, address payable to) external returns (uint256 paid);

    /// @notice The WAL token.
    // solhint-disable-next-line func-name-mixedcase
    function WAL() external view returns (address);

    /// @notice Wei for one FROST.
    // solhint-disable-next-line func-name-mixedcase
    function WEI_PER_FROST() external view returns (uint256);
}
