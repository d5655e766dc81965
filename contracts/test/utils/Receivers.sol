// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev A contract that takes ERC-1155 tokens and does nothing else.
contract ERC1155Receiver {
    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC1155BatchReceived.selector;
    }
}

/// @dev A contract that, when it receives ERC-1155 tokens, makes one call it was told to make, and notes the outcome.
contract ReentrantReceiver {
    address public target;
    bytes public data;
    uint256 public calls;
    bool public succeeded;
    bytes public answer;

    function arm(address target_, bytes calldata data_) external {
        (target, data, calls, succeeded) = (target_, data_, 0, false);
    }

    /// @dev Lets the contract act as a user.
    function act(address to, bytes calldata data_) external returns (bytes memory) {
        (bool ok, bytes memory out) = to.call(data_);
        if (!ok) {
            assembly {
                revert(add(out, 0x20), mload(out))
            }
        }
        return out;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external returns (bytes4) {
        _strike();
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        returns (bytes4)
    {
        _strike();
        return this.onERC1155BatchReceived.selector;
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        _strike();
        return this.onERC721Received.selector;
    }

    function _strike() private {
        if (target == address(0)) return;
        ++calls;
        if (calls > 1) return;
        (succeeded, answer) = target.call(data);
    }
}
