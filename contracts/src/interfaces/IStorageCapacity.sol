// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Storage capacity as ERC-1155
/// @notice A class is a range of epochs, `id = start << 32 | end` (end exclusive); an amount is bytes of encoded size.
/// Splits by size are plain transfers. Destroyed capacity is not refunded and stays counted as used.
interface IStorageCapacity {
    /// @notice Capacity of class `(start, end)` became `(start, mid)` and `(mid, end)`.
    event CapacitySplit(address indexed account, uint256 indexed capacityId, uint32 mid, uint256 amount);
    /// @notice Capacity of two adjacent classes became one of `capacityId`.
    event CapacityFused(address indexed account, uint256 indexed capacityId, uint32 mid, uint256 amount);
    /// @notice The past part of a class was cut off.
    event CapacityNormalised(address indexed account, uint256 indexed fromId, uint256 indexed toId, uint256 amount);
    /// @notice A holder destroyed capacity.
    event CapacityDestroyed(address indexed account, uint256 indexed capacityId, uint256 amount);

    /// @notice The caller is not `WalrusSystem`.
    error NotSystem(address caller);
    /// @notice `mid` is not strictly inside the class.
    error MidOutsideRange(uint256 capacityId, uint32 mid);
    /// @notice The left class does not end where the right one starts.
    error NotAdjacent(uint256 left, uint256 right);
    /// @notice The class does not start in the past, or has ended.
    error NothingToNormalise(uint256 capacityId, uint32 epoch);

    /// @notice Mints capacity. Only `WalrusSystem`.
    function mint(address to, uint256 capacityId, uint256 amount) external;

    /// @notice Burns capacity of `from`. Only `WalrusSystem`.
    function burn(address from, uint256 capacityId, uint256 amount) external;

    /// @notice Cuts the caller's capacity at epoch `mid`.
    function splitByEpoch(uint256 capacityId, uint32 mid, uint256 amount) external returns (uint256 left, uint256 right);

    /// @notice Joins the caller's capacity of two adjacent classes.
    function fuseByEpoch(uint256 left, uint256 right, uint256 amount) external returns (uint256 fused);

    /// @notice Re-labels the caller's capacity of a class that started in the past to start in the current epoch.
    function normalise(uint256 capacityId, uint256 amount) external returns (uint256 normalised);

    /// @notice Destroys the caller's capacity.
    function destroy(uint256 capacityId, uint256 amount) external;

    /// @notice First epoch and (exclusive) last epoch of a class.
    function range(uint256 capacityId) external pure returns (uint32 start, uint32 end);

    /// @notice Class of a range.
    function classOf(uint32 start, uint32 end) external pure returns (uint256 capacityId);

    /// @notice ERC-1155 balance in bytes.
    function balanceOf(address owner, uint256 capacityId) external view returns (uint256);
}
