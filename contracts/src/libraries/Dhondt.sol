// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Check of a D'Hondt apportionment with a cap
/// @notice The seats are computed off chain; one pass decides whether they are exactly the outcome of giving seat after
/// seat to the uncapped node with the largest `stake / (seats + 1)`, ties to the node listed earlier.
library Dhondt {
    /// @notice One number of seats per node is needed.
    error WrongLength(uint256 given, uint256 expected);
    /// @notice The seats do not add up to the number of shards.
    error WrongSum(uint256 sum, uint256 expected);
    /// @notice A node has more seats than the cap.
    error AboveCap(uint256 index, uint256 seats, uint256 cap);
    /// @notice The node at `claimant` had a better claim to a seat than the one at `holder` to its last one.
    error NotApportioned(uint256 claimant, uint256 holder);

    /// @notice Most seats of one node: `max(1, floor(n / 10))` with 20 or more nodes, else `ceil(2 n / nodes)`.
    function cap(uint256 n, uint256 nodes) internal pure returns (uint256) {
        if (nodes < 20) return (2 * n + nodes - 1) / nodes;
        return n < 10 ? 1 : n / 10;
    }

    /// @notice Reverts unless `seats` is the apportionment of `n` seats over `stakes`.
    /// @dev Compares the best claim to one more seat with the weakest seat that is held, by cross multiplication:
    /// stakes are below 2^64 and seats below 2^16, so nothing overflows.
    /// @param stakes In the order that resolves ties; not all 0. A node that counts with stake 0 gets a seat only when
    /// the cap leaves some for it
    function verify(uint64[] memory stakes, uint16[] calldata seats, uint256 n) internal pure {
        uint256 nodes = stakes.length;
        if (seats.length != nodes) revert WrongLength(seats.length, nodes);
        uint256 limit = cap(n, nodes);
        uint256 sum = 0;
        // The best claim: claimStake / claimSeats at index claimant. The weakest seat likewise. None: seats 0.
        (uint256 claimStake, uint256 claimSeats, uint256 claimant) = (0, 0, 0);
        (uint256 heldStake, uint256 heldSeats, uint256 holder) = (0, 0, 0);
        for (uint256 i = 0; i < nodes; ++i) {
            (uint256 stake, uint256 k) = (stakes[i], seats[i]);
            if (k > limit) revert AboveCap(i, k, limit);
            sum += k;
            // Strictly better only: of equal claims the earlier one stands.
            if (k < limit && (claimSeats == 0 || stake * claimSeats > claimStake * (k + 1))) {
                (claimStake, claimSeats, claimant) = (stake, k + 1, i);
            }
            // Not better: of equal seats the later one is the weaker.
            if (k > 0 && (heldSeats == 0 || stake * heldSeats <= heldStake * k)) {
                (heldStake, heldSeats, holder) = (stake, k, i);
            }
        }
        if (sum != n) revert WrongSum(sum, n);
        if (claimSeats == 0) return;
        uint256 claim = claimStake * heldSeats;
        uint256 held = heldStake * claimSeats;
        if (claim > held || (claim == held && claimant < holder)) revert NotApportioned(claimant, holder);
    }
}
