// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Initializable } from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import { UUPSUpgradeable } from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import { Wired } from "./Wired.sol";

/// @title A wired contract behind a UUPS proxy
/// @notice Only the upgrade gate may replace the implementation; see `IUpgradeGate`.
abstract contract WiredUpgradeable is Wired, Initializable, UUPSUpgradeable {
    constructor() {
        _disableInitializers();
    }

    /// @inheritdoc UUPSUpgradeable
    function _authorizeUpgrade(address) internal view override {
        _requireCaller(UPGRADE_GATE);
    }
}
