//! The simulated world itself: it repeats, it loses, it objects.
#![allow(clippy::unwrap_used)]

use std::{path::Path, time::Duration};

use axum::{Router, body::Bytes, routing::post};
use http::Request;
use http_body_util::Full;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep, timeout},
};
use walrus_env::{
    CancellationToken, Env, OpenMode,
    http::{HttpClient, HttpClientConfig, ServerConfig, read_body, serve},
};
use walrus_sim::{DiskFaults, DiskOp, LinkProfile, Report, Run, World};

fn lossy() -> LinkProfile {
    LinkProfile { loss: 0.05, reset: 0.01, hang: 0.02, ..LinkProfile::default() }
}

/// An HTTP server that answers with what it was sent.
fn serve_echo(env: Env) {
    let server = env.clone();
    env.spawn("echo", async move {
        let listener = server.net.bind("0.0.0.0", 80).await.unwrap();
        let router = Router::new().route("/echo", post(|body: Bytes| async { body }));
        let never = CancellationToken::new();
        serve(server, listener, router, ServerConfig::default(), never).await;
    });
}

/// Forty exchanges with two servers, one of which crashes; returns how many succeeded.
async fn pings(world: World) -> usize {
    world.network().set_default(lossy());
    let hosts = [world.add_host("one"), world.add_host("two")];
    for host in &hosts {
        serve_echo(host.boot());
    }
    let env = world.add_host("client").boot();
    let client = HttpClient::new(&env, HttpClientConfig::default());
    let mut succeeded = 0;
    for round in 0..40_usize {
        if round == 20 {
            hosts[1].crash();
        }
        if round == 30 {
            serve_echo(hosts[1].boot());
        }
        let body = Bytes::from(vec![round as u8; 100 * round]);
        let uri = format!("http://{}/echo", hosts[round % 2].name());
        let request = Request::post(uri).body(Full::new(body.clone())).unwrap();
        let exchange = async { read_body(client.send(request).await?.into_body(), 10_000).await };
        if let Ok(Ok(answer)) = timeout(Duration::from_secs(3), exchange).await {
            assert_eq!(answer, body, "a stream keeps its bytes");
            succeeded += 1;
        }
    }
    succeeded
}

#[test]
fn a_seed_repeats_exactly_and_seeds_differ() {
    // If this fails, a failing seed cannot be replayed and the simulation is of little use.
    assert!(walrus_sim::is_linked() || !cfg!(target_os = "linux"));
    let run = |seed| Run::new("a_seed_repeats_exactly", seed).check_repeats(pings);
    let mut traces = std::collections::BTreeSet::new();
    for seed in walrus_sim::seeds(10) {
        let first: Report<usize> = run(seed);
        assert!((20..40).contains(&first.value), "{} of 40 pings", first.value);
        traces.insert(first.trace);
    }
    assert!(traces.len() == walrus_sim::seeds(10).len(), "two seeds gave one trace");
}

#[test]
#[should_panic(expected = "does not repeat from line 3")]
fn what_does_not_follow_the_seed_is_noticed() {
    // The instrument's own mutation: state that outlives a run must turn the comparison red.
    let runs = std::sync::atomic::AtomicU64::new(0);
    Run::new("what_does_not_follow_the_seed", 1).check_repeats(|world| {
        let run = runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        async move {
            world.event(0, "same", &[]);
            world.event(0, "same", &[]);
            world.event(0, "check", &[run]);
        }
    });
}

// ---- streams ----

/// A server that reads for ever on "server" port 1, and a stream to it.
async fn open_stream(world: &World) -> walrus_env::BoxIo {
    let env = world.add_host("server").boot();
    let server = env.clone();
    env.spawn("sink", async move {
        let mut listener = server.net.bind("server", 1).await.unwrap();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let echo = async move {
                let mut buffer = [0; 100];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    if stream.write_all(&buffer[..count]).await.is_err() {
                        break;
                    }
                }
            };
            server.spawn("sink", echo);
        }
    });
    sleep(Duration::from_millis(10)).await;
    let client = world.add_host("client").boot();
    client.net.connect("server", 1).await.unwrap()
}

async fn echo(stream: &mut walrus_env::BoxIo, text: &[u8]) -> std::io::Result<()> {
    stream.write_all(text).await?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).await?;
    assert_eq!(answer, text);
    Ok(())
}

#[test]
fn a_cut_is_silence_and_heals() {
    // A cut that shows as an error would never exercise a timeout.
    Run::new("a_cut_is_silence", 1).check(|world| async move {
        let mut stream = open_stream(&world).await;
        echo(&mut stream, b"before").await.unwrap();
        world.network().cut_one_way(1, 2);
        let silent = timeout(Duration::from_secs(5), echo(&mut stream, b"during")).await;
        assert!(silent.is_err(), "{silent:?}");
        world.network().heal(1, 2);
        let mut late = [0; 6];
        timeout(Duration::from_secs(10), stream.read_exact(&mut late)).await.unwrap().unwrap();
        assert_eq!(&late, b"during");
    });
}

#[test]
fn a_crash_resets_and_a_power_cut_is_silent_until_the_host_is_back() {
    Run::new("a_crash_resets", 1).check(|world| async move {
        let mut stream = open_stream(&world).await;
        let server = world.host("server");
        server.crash();
        let error = timeout(Duration::from_secs(1), echo(&mut stream, b"lost")).await.unwrap();
        assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);

        let other = world.add_host("other").boot();
        let refused = other.net.connect("server", 1).await.err().unwrap();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    });
    Run::new("a_crash_resets", 2).check(|world| async move {
        let mut stream = open_stream(&world).await;
        let server = world.host("server");
        server.power_cut();
        let silent = timeout(Duration::from_secs(20), echo(&mut stream, b"lost")).await;
        assert!(silent.is_err());
        let other = world.add_host("other").boot();
        let dark = timeout(Duration::from_secs(20), other.net.connect("server", 1)).await;
        assert!(dark.is_err());
        server.boot();
        // The retransmission reaches a kernel that knows nothing of the stream.
        let mut byte = [0];
        let error = timeout(Duration::from_secs(30), stream.read_exact(&mut byte)).await.unwrap();
        assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_writer_waits_for_a_slow_reader() {
    // Without bounded buffers a simulated peer could never exert back-pressure.
    Run::new("a_writer_waits", 1).check(|world| async move {
        let server = world.add_host("server").boot();
        let mut listener = server.net.bind("server", 1).await.unwrap();
        let client = world.add_host("client").boot();
        let (stream, accepted) = tokio::join!(client.net.connect("server", 1), listener.accept());
        let (mut stream, (mut accepted, _)) = (stream.unwrap(), accepted.unwrap());
        let bytes = vec![7; 200_000];
        let blocked = timeout(Duration::from_secs(60), stream.write_all(&bytes)).await;
        assert!(blocked.is_err(), "200 kB fitted into a 64 KiB window");
        let mut read = vec![0; 65_536];
        accepted.read_exact(&mut read).await.unwrap();
        stream.write_all(&bytes[..65_536]).await.unwrap();
    });
}

// ---- disks ----

/// Writes numbered records and counts one as acknowledged after its sync (or, when
/// `sync` is false, right after its write), until the power goes at a random moment.
/// Returns whether some acknowledged record was lost.
fn loses_acknowledged(seed: u64, sync: bool, faults: DiskFaults) -> bool {
    let run = Run::new("loses_acknowledged", seed).check(move |world| async move {
        let host = world.add_host("node");
        let env = host.boot();
        host.disk().set_faults(faults);
        host.disk().aim(DiskOp::Write, 20);
        let (acknowledge, mut acknowledged) = tokio::sync::watch::channel(0_u64);
        let disk = env.disk.clone();
        env.spawn("writer", async move {
            let directory = Path::new("/data");
            disk.create_dir_all(directory).await.unwrap();
            let log = disk.open(&directory.join("log"), OpenMode::CreateNew).await.unwrap();
            disk.sync_dir(directory).await.unwrap();
            for record in 0..1_000_u64 {
                let bytes = Bytes::copy_from_slice(&(record + 1).to_be_bytes());
                log.write_at(record * 8, bytes).await.unwrap();
                if sync {
                    log.sync().await.unwrap();
                }
                acknowledge.send_replace(record + 1);
            }
        });
        host.wait_down().await;
        let promised = *acknowledged.borrow_and_update();
        assert!(promised >= 19, "the power went too early");
        let disk = host.boot().disk;
        let log = disk.open(Path::new("/data/log"), OpenMode::Read).await.unwrap();
        let length = log.len().await.unwrap();
        let kept = log.read_at(0, length as usize).await.unwrap();
        let whole = kept.chunks_exact(8).enumerate();
        let intact = whole
            .take_while(|(index, record)| *record == (*index as u64 + 1).to_be_bytes())
            .count();
        (intact as u64) < promised
    });
    run.value
}

#[test]
fn a_power_cut_takes_what_was_not_synced_and_nothing_else() {
    // The oracle's ground: each row is a mutation of the writer or of the instrument.
    let lost = |sync: bool, faults: DiskFaults| {
        (1..=50).filter(|seed| loses_acknowledged(*seed, sync, faults.clone())).count()
    };
    let good = DiskFaults::default();
    let lying = DiskFaults { lying_sync: true, ..DiskFaults::default() };
    let generous = DiskFaults { keep_everything: true, ..DiskFaults::default() };
    assert_eq!(lost(true, good.clone()), 0, "synced records were lost");
    let skipped = lost(false, good);
    assert!(skipped > 40, "a writer that never syncs was caught in only {skipped} of 50 seeds");
    let lied_to = lost(true, lying);
    assert!(lied_to > 40, "a disk that never syncs was caught in only {lied_to} of 50 seeds");
    assert_eq!(lost(false, generous), 0, "a disk that keeps everything lost something");
}

#[test]
fn a_full_disk_and_a_failed_sync_are_reported() {
    Run::new("a_full_disk", 1).check(|world| async move {
        let host = world.add_host("node");
        let env = host.boot();
        let file = env.disk.open(Path::new("/file"), OpenMode::Create).await.unwrap();
        host.disk().set_faults(DiskFaults { capacity: Some(10), ..DiskFaults::default() });
        file.write_at(0, Bytes::from_static(b"0123456789")).await.unwrap();
        let full = file.write_at(5, Bytes::from_static(b"56789a")).await.unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        host.disk().set_faults(DiskFaults { failed_sync: 1.0, ..DiskFaults::default() });
        assert!(file.sync().await.is_err());
        assert!(!host.disk().holds_durably(b"0123456789"));
    });
}

#[test]
fn a_lock_is_exclusive_and_dies_with_its_process() {
    Run::new("a_lock_is_exclusive", 1).check(|world| async move {
        let host = world.add_host("node");
        let disk = host.boot().disk;
        let path = Path::new("/lock");
        let held = disk.lock(path).await.unwrap();
        let second = disk.lock(path).await.err().unwrap();
        assert_eq!(second.kind(), std::io::ErrorKind::WouldBlock);
        host.crash();
        let again = host.boot().disk.lock(path).await;
        assert!(again.is_ok());
        drop(held);
    });
}

#[test]
fn a_blocking_file_fails_once_the_power_is_gone() {
    // An embedded database sees errors, never bytes of another life.
    Run::new("a_blocking_file", 1).check(|world| async move {
        let host = world.add_host("node");
        let env = host.boot();
        let file = env.disk.open_blocking(Path::new("/db")).unwrap();
        file.write_at(0, b"old").unwrap();
        file.sync().unwrap();
        env.disk.sync_dir(Path::new("/")).await.unwrap();
        host.disk().aim(DiskOp::Write, 2);
        file.write_at(0, b"new").unwrap();
        assert!(file.write_at(3, b"er").is_err());
        assert!(file.sync().is_err() && file.len().is_err());
        host.wait_down().await;
        let file = host.boot().disk.open_blocking(Path::new("/db")).unwrap();
        let mut bytes = [0; 3];
        file.read_at(0, &mut bytes).unwrap();
        assert!([*b"old", *b"new", *b"nld", *b"ned"].contains(&bytes), "{bytes:?}");
    });
}

// ---- hosts ----

#[test]
fn tasks_die_with_their_host_and_only_with_it() {
    Run::new("tasks_die", 1).check(|world| async move {
        let (one, two) = (world.add_host("one"), world.add_host("two"));
        let counters = [tokio::sync::watch::channel(0), tokio::sync::watch::channel(0)];
        for (host, (counter, _)) in [&one, &two].into_iter().zip(&counters) {
            let counter = counter.clone();
            host.boot().spawn("tick", async move {
                loop {
                    sleep(Duration::from_secs(1)).await;
                    counter.send_modify(|count| *count += 1);
                }
            });
        }
        sleep(Duration::from_millis(10_500)).await;
        one.crash();
        sleep(Duration::from_secs(10)).await;
        let ticks = counters.map(|(_, count)| *count.borrow());
        assert_eq!(ticks, [10, 20]);
    });
}

#[test]
fn a_stray_task_and_a_panicking_task_fail_the_run() {
    let stray = Run::new("a_stray_task", 1).execute(|_| async {
        #[allow(clippy::disallowed_methods)]
        tokio::spawn(std::future::pending::<()>());
    });
    assert!(stray.unwrap_err().message.contains("not started through the environment"));
    let panicking = Run::new("a_panicking_task", 9).execute(|world| async move {
        let env = world.add_host("node").boot();
        env.spawn("bad", async { panic!("a broken invariant") }).await;
    });
    let failure = panicking.unwrap_err();
    assert!(failure.message.contains("a broken invariant"), "{failure}");
    assert!(failure.replay.starts_with("SIM_SEED=9 "), "{failure}");
    assert!(failure.tail.contains("spawn"), "{failure}");
}

#[test]
fn clocks_are_virtual_and_may_be_wrong() {
    Run::new("clocks", 1).check(|world| async move {
        let (right, wrong) = (world.add_host("right"), world.add_host("wrong"));
        let (env, other) = (right.boot(), wrong.boot());
        wrong.set_clock_skew_ms(-90_000);
        let (before, began) = (env.clock.unix(), Instant::now());
        sleep(Duration::from_secs(3_000)).await;
        assert_eq!(env.clock.unix() - before, Duration::from_secs(3_000));
        assert_eq!(began.elapsed(), Duration::from_secs(3_000));
        assert_eq!(env.clock.unix() - other.clock.unix(), Duration::from_secs(90));
    });
}
