//! `walrus store`

use serde_json::json;
use walrus_chain::{ChainWriter, SendConfig};
use walrus_env::Env;
use walrus_sdk::{StoreOptions, StoreState, Stored};

use crate::{
    args::{Global, StoreArgs},
    client,
    failure::{Failure, Outcome},
    input::Input,
    output::{Output, bytes, duration, wal},
    session::Session,
};

/// Runs `walrus store`.
pub async fn run(env: &Env, global: &Global, arguments: &StoreArgs, output: Output) -> Outcome {
    let session = Session::open(env, global).await?;
    let client = client::open_with(&session, &arguments.coding);
    let limit = client.network().await?.committee.params().max_blob_size();
    let source = Input::new(&arguments.file).source(env, client.coder(), limit).await?;
    let writer =
        ChainWriter::new(session.chain.clone(), session.wallet().await?, SendConfig::default());
    let options = StoreOptions {
        epochs: arguments.epochs,
        deletable: arguments.deletable,
        force: arguments.force,
        ..StoreOptions::default()
    };
    let work = client.store(&writer, source, &options, &client::progress(output)).await;
    let stored = work.map_err(Failure::from)?;
    if !stored.failures.is_empty() {
        output.remark(format!(
            "{} nodes did not confirm; they heal by themselves",
            stored.failures.len()
        ));
    }
    output.result(&report(&stored), |_| human(&stored));
    Ok(())
}

/// The result as programs see it.
pub fn report(stored: &Stored) -> serde_json::Value {
    let mut report = json!({
        "blob_id": stored.blob_id.to_string(),
        "end_epoch": stored.end_epoch.0,
        "size": stored.unencoded_bytes,
        "encoded_size": stored.encoded_bytes,
        "newly_created": false,
        "resumed": false,
        "object_id": null,
        "cost_frost": stored.cost.total(),
        "failures": stored.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "seconds": {
            "encode": stored.timings.encode.as_secs_f64(),
            "register": stored.timings.register.as_secs_f64(),
            "upload": stored.timings.upload.as_secs_f64(),
            "certify": stored.timings.certify.as_secs_f64(),
        },
    });
    match &stored.state {
        StoreState::Certified { token, resumed, registration, certification, certificate } => {
            report["newly_created"] = (!resumed).into();
            report["resumed"] = (*resumed).into();
            report["object_id"] = token.0.into();
            report["registration"] = registration.map(|hash| hash.to_string()).into();
            report["certification"] = certification.map(|hash| hash.to_string()).into();
            report["certificate"] = json!({
                "epoch": certificate.epoch.0,
                "signers": certificate.signers.iter().map(|node| node.0).collect::<Vec<_>>(),
                "weight": certificate.weight,
                "needed": certificate.needed,
            });
        }
        StoreState::AlreadyCertified { token } => {
            report["object_id"] = token.map(|token| token.0).into();
        }
    }
    report
}

fn human(stored: &Stored) -> String {
    let size = bytes(stored.unencoded_bytes);
    let id = stored.blob_id;
    match &stored.state {
        StoreState::Certified { token, resumed, certificate, .. } => {
            let t = &stored.timings;
            let continued = if *resumed { ", continuing an interrupted store" } else { "" };
            format!(
                "Stored {size} until epoch {}{continued}.\nBlob id      {id}\nObject       {token}\nCertificate  {} nodes, {} of {} needed shards\nPaid         {}\nTook         encode {}, register {}, upload {}, certify {}\nRead it back with `walrus read {id} --out FILE`.",
                stored.end_epoch,
                certificate.signers.len(),
                certificate.weight,
                certificate.needed,
                wal(stored.cost.total().into()),
                duration(t.encode),
                duration(t.register),
                duration(t.upload),
                duration(t.certify),
            )
        }
        StoreState::AlreadyCertified { .. } => format!(
            "Already stored until epoch {}; nothing was sent or paid.\nBlob id  {id}",
            stored.end_epoch
        ),
    }
}
