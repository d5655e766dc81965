// Staking: the nodes, adding stake, and the account's positions.

import { read } from "../chain.js";
import { dialog, h, replace, toast } from "../dom.js";
import * as format from "../format.js";
import * as network from "../network.js";
import * as wallet from "../wallet.js";
import { badge, loading, panel, table } from "./parts.js";

/** Positions per call of the Lens, and calls made. */
const PER_CALL = 500;
const CALLS = 20;

/** @type {import("../main.js").View} */
export function stakeView(main) {
  const mine = h("div");
  const nodes = h("div");
  const load = () => {
    loading(mine, myPositions);
    loading(nodes, nodeList);
  };
  main.append(
    h(
      "div",
      { class: "title-row" },
      h(
        "div",
        null,
        h("h1", null, "Stake"),
        h(
          "p",
          { class: "lead" },
          "Stake decides how many shards a node holds. It earns a part of what storage costs, and is at risk when the node fails.",
        ),
      ),
    ),
    panel("My stake", mine),
    panel("Nodes", nodes),
  );
  const reload = () => network.refresh().then(load, load);
  load();
  wallet.news.addEventListener("change", load);
  main.addEventListener("walrus-staked", reload);
  return () => {
    wallet.news.removeEventListener("change", load);
    main.removeEventListener("walrus-staked", reload);
  };
}

/** Says that something changed. @param {Element} from @param {Promise<boolean>} open */
const after = async (from, open) => {
  if (await open) from.dispatchEvent(new CustomEvent("walrus-staked", { bubbles: true }));
};

// ----- Nodes

async function nodeList() {
  const [nodes, pools] = await Promise.all([network.allNodes(), network.allPools()]);
  const total = pools.reduce((sum, pool) => sum + Number(pool.balance), 0);
  const rows = nodes
    .map((node, index) => ({ node, pool: pools[index] }))
    .sort((a, b) => Number(b.pool.expectedStake - a.pool.expectedStake))
    .map(({ node, pool }) => {
      const add = h(
        "button",
        { type: "button", class: "button small", disabled: pool.retired, onclick: () => after(add, stakeDialog(node)) },
        "Stake",
        h("span", { class: "visually-hidden" }, ` with ${node.name}`),
      );
      return h(
        "tr",
        null,
        h(
          "th",
          { scope: "row" },
          node.name,
          h("div", { class: "muted small" }, `node ${node.nodeId}`),
          poolNotes(node, pool),
        ),
        h(
          "td",
          { class: "number" },
          format.wal(pool.balance),
          h("div", { class: "muted small" }, format.percent(Number(pool.balance), total)),
        ),
        h("td", { class: "number" }, format.wal(pool.expectedStake)),
        h("td", { class: "number" }, `${(Number(pool.commissionBp) / 100).toLocaleString("en")} %`),
        h("td", { class: "number" }, add),
      );
    });
  return table(
    "Nodes",
    [["Node"], ["Stake", "number"], ["Next epoch", "number"], ["Commission", "number"], ["!Action", "number"]],
    rows,
  );
}

/** @param {any} node @param {any} pool */
function poolNotes(node, pool) {
  if (pool.retired) return badge({ word: "takes no stake", kind: "bad" });
  if (Number(pool.jailedUntil) > network.epoch())
    return badge({ word: `jailed until epoch ${pool.jailedUntil}`, kind: "bad" });
  if (Number(pool.misses) > 0)
    return badge({ word: `${format.count(Number(pool.misses), "missed challenge")}`, kind: "warn" });
  if (!node.inActiveSet) return badge({ word: "not in the active set", kind: "warn" });
  return null;
}

/** @param {any} node */
async function stakeDialog(node) {
  const account = wallet.account();
  if (!account) {
    toast("Connect an account first (the button at the top right).", "bad");
    return false;
  }
  const { wal: has } = await wallet.balances(account.address);
  const input = h("input", {
    id: "amount",
    inputmode: "decimal",
    autocomplete: "off",
    placeholder: "10",
    required: true,
  });
  return dialog({
    title: `Stake with ${node.name}`,
    body: [
      h("label", { for: "amount" }, "WAL to stake, at least 1"),
      input,
      h(
        "p",
        { class: "muted small" },
        `The account has ${format.wal(has)}. The stake counts from the next committee on. To take it out again, ask for it; it leaves with the next epoch or the one after, and shares the node's rewards and penalties until then.`,
      ),
    ],
    action: "Stake",
    async run(say) {
      const amount = format.parseWal(input.value);
      await wallet.allow(network.address("staking"), amount, say);
      await wallet.send(
        "Staking",
        network.address("staking"),
        "stake",
        [Number(node.nodeId), amount, account.address],
        { say },
      );
      toast(`Staked ${format.wal(amount)} with ${node.name}`);
    },
  });
}

// ----- Positions

async function myPositions() {
  const account = wallet.account();
  if (!account) return h("p", { class: "muted" }, "Connect an account to see its stake.");
  const [found, nodes] = await Promise.all([positionsOf(account.address), network.allNodes()]);
  if (found.length === 0) return h("p", { class: "muted" }, "This account has no stake. Choose a node below.");
  const names = new Map(nodes.map((node) => [Number(node.nodeId), node.name]));
  const total = found.reduce((sum, each) => sum + Number(each.value), 0);
  const rows = found.map((each) =>
    positionRow(each, names.get(Number(each.position.nodeId)) ?? `node ${each.position.nodeId}`),
  );
  return [
    h("p", null, `${format.wal(total)} in ${format.count(found.length, "position")}.`),
    h("ul", { class: "plain positions" }, rows),
  ];
}

/** The account's positions with their worth. @param {string} owner */
async function positionsOf(owner) {
  const highest = Number(network.overview().positionCount);
  const mine = [];
  for (let from = 1, call = 0; from <= highest && call < CALLS; from += PER_CALL, call += 1) {
    const views = await read("WalrusLens", network.config().lens, "positions", [BigInt(from), BigInt(PER_CALL)]);
    mine.push(...views.filter((/** @type {any} */ view) => view.owner.toLowerCase() === owner.toLowerCase()));
  }
  return Promise.all(
    mine.map(async (view) => {
      const [value, withdrawEpoch] = await read("Staking", network.address("staking"), "valueOf", [view.positionId]);
      return { ...view, value: BigInt(value), withdrawEpoch: Number(withdrawEpoch) };
    }),
  );
}

/** @param {any} view @param {string} name */
function positionRow(view, name) {
  const { position, value, withdrawEpoch, positionId } = view;
  const gain = value - BigInt(position.principal);
  const waiting = Number(position.activationEpoch) > network.epoch();
  const leaving = withdrawEpoch > 0;
  const ready = leaving && withdrawEpoch <= network.epoch();
  const state = ready
    ? { word: "can be withdrawn", kind: "ok" }
    : leaving
      ? { word: `leaves with epoch ${withdrawEpoch}`, kind: "warn" }
      : waiting
        ? { word: `counts from epoch ${position.activationEpoch}`, kind: "warn" }
        : { word: "at work", kind: "ok" };
  const actions = h("div", { class: "row" });
  const button = (/** @type {string} */ text, /** @type {() => Promise<boolean>} */ open) =>
    h("button", { type: "button", class: "button small", onclick: () => after(actions, open()) }, text);
  if (!leaving)
    replace(
      actions,
      button("Unstake", () => leaveDialog(view, name)),
    );
  if (ready)
    replace(
      actions,
      button("Withdraw", () => withdrawDialog(view, name)),
    );
  return h(
    "li",
    { class: "position", data: { position: String(positionId) } },
    h(
      "div",
      { class: "grow" },
      h("strong", null, format.wal(value)),
      ` with ${name}`,
      h(
        "div",
        { class: "muted small" },
        gain === 0n
          ? `position #${positionId}`
          : `position #${positionId} · ${gain > 0n ? "+" : "−"}${format.wal(gain > 0n ? gain : -gain)} since it was staked`,
      ),
    ),
    badge(state),
    actions,
  );
}

/** @param {any} view @param {string} name */
function leaveDialog({ positionId, value }, name) {
  return dialog({
    title: "Take this stake out?",
    body: [
      h(
        "p",
        null,
        `${format.wal(value)} leaves ${name} with the next epoch, or the one after if the next committee is selected already. Then withdraw it.`,
      ),
      h("p", { class: "muted" }, "Stake that is not at work anywhere is paid out at once."),
    ],
    action: "Unstake",
    async run(say) {
      try {
        await wallet.send("Staking", network.address("staking"), "requestWithdraw", [positionId], { say });
        toast("The stake will leave");
      } catch (error) {
        if (/** @type {any} */ (error)?.name !== "WithdrawAtOnce") throw error;
        await wallet.send(
          "Staking",
          network.address("staking"),
          "withdraw",
          [positionId, wallet.needAccount().address],
          { say },
        );
        toast("Withdrawn");
      }
    },
  });
}

/** @param {any} view @param {string} name */
function withdrawDialog({ positionId, value }, name) {
  return dialog({
    title: "Withdraw",
    body: [h("p", null, `${format.wal(value)} from ${name} goes to your account.`)],
    action: "Withdraw",
    async run(say) {
      await wallet.send("Staking", network.address("staking"), "withdraw", [positionId, wallet.needAccount().address], {
        say,
      });
      toast("Withdrawn");
    },
  });
}
