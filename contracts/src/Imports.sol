// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Deployed as they are: imported so that they are built with the rest.
import { TimelockController } from "@openzeppelin/contracts/governance/TimelockController.sol";
import { ERC1967Proxy } from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
