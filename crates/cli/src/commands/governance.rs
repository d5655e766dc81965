//! `walrus governance`: proposals, votes, and what becomes of them.

use serde_json::{Value, json};
use walrus_chain::{
    ContractError, Decision, Proposal, ProposalId, ProposalState, ProposalStatus, ProposedCall,
    Vote, WriteError,
};
use walrus_core::Epoch;
use walrus_env::Env;

use super::{chain::parse_address, node::operator};
use crate::{
    args::{Global, GovernanceCommand, ProposeArgs, VoteChoice},
    failure::{Failure, Kind, Outcome},
    output::{Output, table},
    session::Session,
    words::{about_wal, span, when},
};

/// Runs `walrus governance …`.
pub async fn run(
    env: &Env,
    global: &Global,
    command: &GovernanceCommand,
    output: Output,
) -> Outcome {
    let session = Session::open(env, global).await?;
    let (proposal, done) = match command {
        GovernanceCommand::List => return list(&session, output).await,
        GovernanceCommand::Parameters => return parameters(&session, output).await,
        GovernanceCommand::Delegate { to } => {
            return delegate(&session, to.as_deref(), output).await;
        }
        GovernanceCommand::Propose(arguments) => {
            let calls = proposed_calls(&session, arguments).await?;
            let writer = session.writer().await?;
            let made = writer.propose(&calls, &arguments.description).await;
            (made.map_err(failure)?, "proposed")
        }
        GovernanceCommand::Vote { proposal, choice, reason } => {
            let proposal = find(&session, proposal).await?;
            let vote = match choice {
                VoteChoice::For => Vote::For,
                VoteChoice::Against => Vote::Against,
                VoteChoice::Abstain => Vote::Abstain,
            };
            let writer = session.writer().await?;
            let weight = writer.vote(proposal.id, vote, reason).await.map_err(failure)?;
            if weight == 0 {
                output
                    .remark("this account had no votes when voting began: its vote weighs nothing");
            }
            (proposal, "voted on")
        }
        GovernanceCommand::Queue { proposal } => {
            let proposal = find(&session, proposal).await?;
            session.writer().await?.queue(&proposal).await.map_err(failure)?;
            (proposal, "queued")
        }
        GovernanceCommand::Execute { proposal } => {
            let proposal = find(&session, proposal).await?;
            session.writer().await?.execute_proposal(&proposal).await.map_err(failure)?;
            (proposal, "executed")
        }
        GovernanceCommand::Cancel { proposal } => {
            let proposal = find(&session, proposal).await?;
            session.writer().await?.cancel_proposal(&proposal).await.map_err(failure)?;
            (proposal, "taken back")
        }
        GovernanceCommand::Approve { proposal, dir } => {
            let proposal = find(&session, proposal).await?;
            let (node, writer) = operator(env, dir).await?;
            let actions = upgrade_actions(&session, &proposal).await?;
            if actions.is_empty() {
                return Err(Failure::message(Kind::Usage, "nothing in it needs the nodes"));
            }
            for action in actions {
                writer.approve_action(node, action).await?;
            }
            (proposal, "approved")
        }
    };
    let status = session.chain.proposal_status(proposal.id).await?;
    let now = session.chain.block_time().await?;
    let mut report = describe(&session, &proposal, &status).await?;
    report["done"] = done.into();
    output.result(&report, |report| format!("Proposal {done}.\n{}", human(report, now)));
    Ok(())
}

/// A refusal, with what to do about it.
fn failure(error: WriteError) -> Failure {
    let hint = match error.contract_error() {
        Some(ContractError::GovernorInsufficientProposerVotes { .. }) => Some(
            "run `walrus governance delegate` once: WAL and stake vote only after that, from the next second on",
        ),
        Some(ContractError::GovernorUnexpectedProposalState { .. }) => {
            Some("`walrus governance list` says what comes next, and when")
        }
        Some(ContractError::TimelockUnexpectedOperationState { .. }) => {
            Some("it waits in the timelock: `walrus governance list` says until when")
        }
        Some(ContractError::StartTooEarly { .. }) => {
            Some("the epoch it names has begun: propose it again with a later --from-epoch")
        }
        Some(ContractError::NotApprovedByNodes { .. }) => {
            Some("operators of two thirds of the shards must run `walrus governance approve`")
        }
        _ => None,
    };
    let failure = Failure::from(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The proposal with this number in the list, or with this id.
async fn find(session: &Session, text: &str) -> Result<Proposal, Failure> {
    let proposals = session.chain.proposals().await?;
    let by_number = text.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let by_number = by_number.and_then(|index| proposals.get(index));
    let by_id = || {
        let id: ProposalId = text.parse().ok()?;
        proposals.iter().find(|proposal| proposal.id == id)
    };
    by_number.or_else(by_id).cloned().ok_or_else(|| {
        Failure::message(Kind::Usage, format!("there is no proposal {text}"))
            .hint("`walrus governance list` shows them with their numbers")
    })
}

async fn proposed_calls(
    session: &Session,
    arguments: &ProposeArgs,
) -> Result<Vec<ProposedCall>, Failure> {
    let mut calls = tunables(session, arguments).await?;
    for text in &arguments.upgrade {
        let (proxy, code) = pair(text, "PROXY:CODE")?;
        let (proxy, code) = (parse_address(proxy)?, parse_address(code)?);
        let upgrade = session.chain.next_upgrade(proxy, code, Vec::new()).await?;
        calls.push(ProposedCall::upgrade(session.chain.deployment(), &upgrade));
    }
    for text in &arguments.call {
        let (target, data) = pair(text, "TARGET:DATA")?;
        let data = hex::decode(data.strip_prefix("0x").unwrap_or(data)).map_err(|error| {
            Failure::message(Kind::Usage, format!("{data} is not hex data: {error}"))
        })?;
        calls.push(ProposedCall { target: parse_address(target)?, value: 0, data });
    }
    Ok(calls)
}

fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), Failure> {
    text.split_once(':')
        .ok_or_else(|| Failure::message(Kind::Usage, format!("{text:?} is not {form}")))
}

/// The changes of tunables, checked against their bounds before anybody votes on them.
async fn tunables(
    session: &Session,
    arguments: &ProposeArgs,
) -> Result<Vec<ProposedCall>, Failure> {
    if arguments.set.is_empty() {
        return Ok(Vec::new());
    }
    let known = session.chain.tunables().await?;
    let view = session.chain.network().await?;
    let times = session.chain.governance().await?;
    let delays = [times.voting_delay, times.voting_period, times.timelock_delay];
    let wait = delays.into_iter().fold(0, u64::saturating_add);
    let epochs = wait.div_ceil(u64::from(view.parameters.epoch_duration.max(1)));
    let default = u64::from(view.epoch.epoch.0).saturating_add(epochs).saturating_add(2);
    let from = arguments.from_epoch.unwrap_or(u32::try_from(default).unwrap_or(u32::MAX));
    let usage = |text: String| Failure::message(Kind::Usage, text);
    let call = |text: &String| {
        let (name, value) =
            text.split_once('=').ok_or_else(|| usage(format!("{text:?} is not NAME=VALUE")))?;
        let tunable = known.iter().find(|tunable| tunable.name == name).ok_or_else(|| {
            usage(format!("there is no tunable {name:?}"))
                .hint("`walrus governance parameters` lists them")
        })?;
        let value = value.parse().map_err(|_| usage(format!("{value:?} is not a number")))?;
        if !(tunable.lowest..=tunable.highest).contains(&value) {
            let text = format!("{name} is between {} and {}", tunable.lowest, tunable.highest);
            return Err(usage(text).hint("other bounds take an upgrade of the contracts"));
        }
        Ok(ProposedCall::set_tunable(session.chain.deployment(), name, value, Epoch(from)))
    };
    arguments.set.iter().map(call).collect()
}

/// What the nodes must approve of for a proposal to be executed.
async fn upgrade_actions(session: &Session, proposal: &Proposal) -> Result<Vec<[u8; 32]>, Failure> {
    let mut actions = Vec::new();
    for call in &proposal.calls {
        if let Decision::Upgrade(upgrade) = call.decision(session.chain.deployment()) {
            actions.push(session.chain.upgrade_action(&upgrade).await?);
        }
    }
    Ok(actions)
}

async fn describe(
    session: &Session,
    proposal: &Proposal,
    status: &ProposalStatus,
) -> Result<Value, Failure> {
    let deployment = session.chain.deployment();
    let call = |call: &ProposedCall| {
        let meaning = match call.decision(deployment) {
            Decision::SetTunable { name, value, from } => {
                format!("{name} = {value} from epoch {from} on")
            }
            Decision::Upgrade(upgrade) => {
                format!("new code {} for {}", upgrade.implementation, upgrade.proxy)
            }
            Decision::Other => format!("a call of {} with {} bytes", call.target, call.data.len()),
        };
        json!({
            "meaning": meaning,
            "target": call.target.to_string(),
            "value": call.value.to_string(),
            "data": format!("0x{}", hex::encode(&call.data)),
        })
    };
    let mut approvals = Vec::new();
    for action in upgrade_actions(session, proposal).await? {
        let approval = session.chain.approval(action).await?;
        approvals.push(json!({
            "action": format!("0x{}", hex::encode(action)),
            "epoch": approval.epoch.0,
            "shards": approval.weight,
            "approved_until": approval.approved_until,
        }));
    }
    Ok(json!({
        "id": proposal.id.to_string(),
        "proposer": proposal.proposer.to_string(),
        "description": proposal.description,
        "state": status.state.to_string(),
        "calls": proposal.calls.iter().map(call).collect::<Vec<_>>(),
        "votes_for": status.votes_for.to_string(),
        "votes_against": status.votes_against.to_string(),
        "votes_abstain": status.votes_abstain.to_string(),
        "quorum": status.quorum.to_string(),
        "voting_begins": proposal.snapshot,
        "voting_ends": proposal.deadline,
        "executable_at": status.executable_at,
        "next": next_step(proposal, status),
        "node_approvals": approvals,
    }))
}

/// What comes next: the command, and the time from which it works.
fn next_step(proposal: &Proposal, status: &ProposalStatus) -> Value {
    match status.state {
        ProposalState::Pending => json!({ "step": "vote", "at": proposal.snapshot }),
        ProposalState::Active => json!({ "step": "vote", "until": proposal.deadline }),
        ProposalState::Succeeded => json!({ "step": "queue" }),
        ProposalState::Queued => json!({ "step": "execute", "at": status.executable_at }),
        _ => Value::Null,
    }
}

/// One proposal in a few lines of text.
fn human(report: &Value, now: u64) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let frost = |name: &str| text(&report[name]).parse::<u128>().unwrap_or_default();
    let next = &report["next"];
    let step = text(&next["step"]);
    let next = match (next["at"].as_u64(), next["until"].as_u64()) {
        _ if step.is_empty() => String::new(),
        (Some(at), _) if at >= now => format!(", {step} {}", when(now, at)),
        (_, Some(until)) => format!(", {step} within {}", span(until.saturating_sub(now))),
        _ => format!(", {step} now"),
    };
    let mut lines = vec![format!("{}{next}", text(&report["state"]))];
    lines.extend(text(&report["description"]).lines().take(3).map(str::to_owned));
    for call in report["calls"].as_array().into_iter().flatten() {
        lines.push(format!("- {}", text(&call["meaning"])));
    }
    let cast = frost("votes_for") + frost("votes_abstain");
    let quorum = frost("quorum");
    let reached = if cast >= quorum { "reached" } else { "not reached" };
    lines.push(format!(
        "for {}, against {}, abstain {}; quorum {} {reached}",
        about_wal(frost("votes_for")),
        about_wal(frost("votes_against")),
        about_wal(frost("votes_abstain")),
        about_wal(quorum),
    ));
    for approval in report["node_approvals"].as_array().into_iter().flatten() {
        lines.push(match approval["approved_until"].as_u64() {
            Some(until) => format!("the nodes approve it until {}", when(now, until)),
            None => format!("nodes with {} shards approve so far", approval["shards"]),
        });
    }
    lines.push(text(&report["id"]));
    lines.join("\n")
}

async fn list(session: &Session, output: Output) -> Outcome {
    let now = session.chain.block_time().await?;
    let times = session.chain.governance().await?;
    let mut proposals = Vec::new();
    for proposal in session.chain.proposals().await? {
        let status = session.chain.proposal_status(proposal.id).await?;
        proposals.push(describe(session, &proposal, &status).await?);
    }
    // Looking needs no wallet.
    let mut votes = Value::Null;
    if let Ok(wallet) = session.wallet().await {
        let power = session.chain.voting_power(wallet.address()).await?;
        votes = json!({
            "account": wallet.address().to_string(),
            "wal": power.wal.to_string(),
            "staked": power.staked.to_string(),
            "wal_delegate": power.wal_delegate.map(|to| to.to_string()),
            "staked_delegate": power.staked_delegate.map(|to| to.to_string()),
        });
    }
    let report = json!({
        "voting_delay": times.voting_delay,
        "voting_period": times.voting_period,
        "timelock_delay": times.timelock_delay,
        "proposal_threshold": times.proposal_threshold.to_string(),
        "quorum": times.quorum.to_string(),
        "votes": votes,
        "proposals": proposals,
    });
    output.result(&report, |report| {
        let mut text = format!(
            "Votes are weighed {} after a proposal and taken for {}; what wins waits {}.\nTo propose takes {}, to win {}.",
            span(times.voting_delay), span(times.voting_period), span(times.timelock_delay),
            about_wal(times.proposal_threshold), about_wal(times.quorum)
        );
        if let Some(account) = report["votes"]["account"].as_str() {
            let frost = |name: &str| {
                report["votes"][name].as_str().and_then(|text| text.parse::<u128>().ok())
            };
            let all = frost("wal").unwrap_or_default() + frost("staked").unwrap_or_default();
            text.push_str(&format!("\nAccount {account} has {} of votes.", about_wal(all)));
        }
        if proposals.is_empty() {
            text.push_str("\n\nNo proposals. `walrus governance propose` makes one.");
        }
        for (number, proposal) in (1..).zip(&proposals) {
            let indented = human(proposal, now).replace('\n', "\n    ");
            text.push_str(&format!("\n\n{number:>2}  {indented}"));
        }
        text
    });
    Ok(())
}

async fn parameters(session: &Session, output: Output) -> Outcome {
    let found = session.chain.tunables().await?.into_iter().map(|tunable| {
        json!({
            "name": tunable.name, "current": tunable.current,
            "lowest": tunable.lowest, "highest": tunable.highest,
            "next": tunable.next.map(|(value, _)| value),
            "next_from": tunable.next.map(|(_, epoch)| epoch.0),
        })
    });
    let found: Vec<Value> = found.collect();
    output.result(&json!({ "parameters": found }), |_| {
        let head = ["tunable", "now", "lowest", "highest", ""].map(str::to_owned).to_vec();
        let row = |tunable: &Value| {
            let next = tunable["next_from"].as_u64();
            vec![
                tunable["name"].as_str().unwrap_or_default().to_owned(),
                tunable["current"].to_string(),
                tunable["lowest"].to_string(),
                tunable["highest"].to_string(),
                next.map_or(String::new(), |epoch| format!("{} from {epoch}", tunable["next"])),
            ]
        };
        table(&std::iter::once(head).chain(found.iter().map(row)).collect::<Vec<_>>())
    });
    Ok(())
}

async fn delegate(session: &Session, to: Option<&str>, output: Output) -> Outcome {
    let writer = session.writer().await?;
    let to = to.map(parse_address).transpose()?.unwrap_or(writer.address());
    writer.delegate_votes(to).await?;
    let report = json!({ "from": writer.address().to_string(), "to": to.to_string() });
    output.result(&report, |_| {
        format!("{to} now votes with the WAL and the stake of {}.", writer.address())
    });
    Ok(())
}
