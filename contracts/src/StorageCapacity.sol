// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC1155 } from "solady/tokens/ERC1155.sol";
import { LibString } from "solady/utils/LibString.sol";
import { IStorageCapacity } from "./interfaces/IStorageCapacity.sol";
import { IWalrusSystem } from "./interfaces/IWalrusSystem.sol";

/// @title Storage capacity as ERC-1155
/// @dev Burns come first and mints last: a mint calls the receiver back.
contract StorageCapacity is IStorageCapacity, ERC1155 {
    /// @notice The proxy of `WalrusSystem`, which alone mints new capacity.
    address public immutable SYSTEM;

    modifier onlySystem() {
        if (msg.sender != SYSTEM) revert NotSystem(msg.sender);
        _;
    }

    /// @param system Proxy of `WalrusSystem`
    constructor(address system) {
        SYSTEM = system;
    }

    /// @inheritdoc IStorageCapacity
    function mint(address to, uint256 capacityId, uint256 amount) external onlySystem {
        _mint(to, capacityId, amount, "");
    }

    /// @inheritdoc IStorageCapacity
    function burn(address from, uint256 capacityId, uint256 amount) external onlySystem {
        _burn(from, capacityId, amount);
    }

    /// @inheritdoc IStorageCapacity
    function splitByEpoch(uint256 capacityId, uint32 mid, uint256 amount)
        external
        returns (uint256 left, uint256 right)
    {
        (uint32 start, uint32 end) = range(capacityId);
        if (mid <= start || mid >= end) revert MidOutsideRange(capacityId, mid);
        left = classOf(start, mid);
        right = classOf(mid, end);
        _burn(msg.sender, capacityId, amount);
        emit CapacitySplit(msg.sender, capacityId, mid, amount);
        // One call for both halves, so that the holder is called back once and with everything in place.
        uint256[] memory ids = new uint256[](2);
        uint256[] memory amounts = new uint256[](2);
        (ids[0], ids[1], amounts[0], amounts[1]) = (left, right, amount, amount);
        _batchMint(msg.sender, ids, amounts, "");
    }

    /// @inheritdoc IStorageCapacity
    function fuseByEpoch(uint256 left, uint256 right, uint256 amount) external returns (uint256 fused) {
        (uint32 start, uint32 mid) = range(left);
        (uint32 rightStart, uint32 end) = range(right);
        if (mid != rightStart) revert NotAdjacent(left, right);
        fused = classOf(start, end);
        _burn(msg.sender, left, amount);
        _burn(msg.sender, right, amount);
        emit CapacityFused(msg.sender, fused, mid, amount);
        _mint(msg.sender, fused, amount, "");
    }

    /// @inheritdoc IStorageCapacity
    function normalise(uint256 capacityId, uint256 amount) external returns (uint256 normalised) {
        (uint32 start, uint32 end) = range(capacityId);
        uint32 epoch = IWalrusSystem(SYSTEM).epoch();
        if (start >= epoch || end <= epoch) revert NothingToNormalise(capacityId, epoch);
        normalised = classOf(epoch, end);
        _burn(msg.sender, capacityId, amount);
        emit CapacityNormalised(msg.sender, capacityId, normalised, amount);
        _mint(msg.sender, normalised, amount, "");
    }

    /// @inheritdoc IStorageCapacity
    function destroy(uint256 capacityId, uint256 amount) external {
        _burn(msg.sender, capacityId, amount);
        emit CapacityDestroyed(msg.sender, capacityId, amount);
    }

    /// @inheritdoc IStorageCapacity
    function range(uint256 capacityId) public pure returns (uint32 start, uint32 end) {
        return (uint32(capacityId >> 32), uint32(capacityId));
    }

    /// @inheritdoc IStorageCapacity
    function classOf(uint32 start, uint32 end) public pure returns (uint256 capacityId) {
        return uint256(start) << 32 | end;
    }

    /// @inheritdoc IStorageCapacity
    function balanceOf(address owner, uint256 capacityId)
        public
        view
        override(ERC1155, IStorageCapacity)
        returns (uint256)
    {
        return super.balanceOf(owner, capacityId);
    }

    /// @notice A small JSON document that shows the range of the class.
    function uri(uint256 capacityId) public pure override returns (string memory) {
        (uint32 start, uint32 end) = range(capacityId);
        return string.concat(
            'data:application/json;utf8,{"name":"Walrus storage, epochs ',
            LibString.toString(start),
            " to ",
            LibString.toString(end),
            '","description":"Bytes of encoded size, from the first epoch up to but not including the last","decimals":0}'
        );
    }
}
