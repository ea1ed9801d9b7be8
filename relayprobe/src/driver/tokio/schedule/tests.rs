use super::*;

/// What a sweep of runs that take `length` each did: when each began and in which network, in virtual time.
fn sweep(pace: Pace, targets: impl Iterator<Item = IpAddr>, length: Duration) -> Vec<(Duration, IpAddr)> {
    let start = Instant::now();
    let mut now = start;
    let mut schedule = Schedule::new(pace);
    let mut targets = targets.peekable();
    let mut running: BinaryHeap<Reverse<(Instant, IpAddr)>> = BinaryHeap::new();
    let mut begun = Vec::new();
    loop {
        while let Some(&Reverse((end, address))) = running.peek().filter(|Reverse((end, _))| *end <= now) {
            running.pop();
            schedule.ended(address, end);
        }
        match schedule.turn(now) {
            Turn::Begin(address, ()) => {
                begun.push((now - start, address));
                running.push(Reverse((now + length, address)));
                assert!(running.len() <= pace.in_flight);
            }
            Turn::Wait(_) if schedule.is_hungry() && targets.peek().is_some() => {
                let address = targets.next().unwrap();
                assert!(schedule.waiting() < pace.waiting);
                schedule.offer(address, ()).unwrap();
            }
            Turn::Wait(until) => {
                let end = running.peek().map(|Reverse((end, _))| *end);
                let Some(later) = until.into_iter().chain(end).min() else { break };
                assert!(later > now, "time goes on");
                now = later;
            }
        }
    }
    assert!(schedule.is_done());
    begun
}

fn pace(in_flight: usize, per_network: usize, pause: u64, per_second: u32, waiting: usize) -> Pace {
    Pace { in_flight, per_network, network_pause: Duration::from_millis(pause), per_second, waiting }
}

fn v4(network: u16, host: u8) -> IpAddr {
    let [high, low] = network.to_be_bytes();
    [10, high, low, host].into()
}

#[test]
fn a_network_never_has_more_than_its_share_and_rests_between() {
    for (per_network, pause) in [(1, 0), (1, 700), (2, 0), (3, 250)] {
        let targets = (0..10).flat_map(|host| {
            (0..12).map(move |network| v4(network % 5, host * 12 + u8::try_from(network).unwrap()))
        });
        let length = Duration::from_secs(2);
        let begun = sweep(pace(64, per_network, pause, 1_000, 1_000), targets, length);
        assert_eq!(begun.len(), 120);
        let taken = length + Duration::from_millis(pause);
        for (at, address) in &begun {
            let others = begun.iter().filter(|(other, to)| {
                Network::of(*to) == Network::of(*address) && other <= at && *at < *other + taken
            });
            assert!(others.count() <= per_network, "{per_network} {pause}");
        }
    }
}

#[test]
fn a_crowded_network_holds_up_nobody_else() {
    let crowd = (0..=255).map(|host| v4(0, host));
    let others = (1..=100).map(|network| v4(network, 1));
    let begun = sweep(pace(16, 1, 0, 1_000_000, 512), crowd.chain(others), Duration::from_secs(1));
    let last = begun
        .iter()
        .filter(|(_, address)| Network::of(*address) != Network::of(v4(0, 0)))
        .map(|(at, _)| *at)
        .max();
    // 15 of the others at once beside one of the crowd, which has its turns alone then.
    assert!(last <= Some(Duration::from_secs(7)), "{last:?}");
    assert_eq!(begun.last().map(|(at, _)| at.as_secs()), Some(255));
}

#[test]
fn runs_begin_no_faster_than_their_pace() {
    let begun =
        sweep(pace(4_096, 1, 0, 40, 16), (0..400).map(|network| v4(network, 1)), Duration::from_millis(1));
    assert_eq!(begun.len(), 400);
    let span = begun.last().unwrap().0;
    assert!((Duration::from_millis(9_900)..Duration::from_millis(10_100)).contains(&span), "{span:?}");
    let late = |window: &[(Duration, IpAddr)]| window[40].0.saturating_sub(window[0].0);
    assert!(begun.windows(41).all(|window| late(window) >= Duration::from_millis(950)));
}

#[test]
fn what_waits_is_bounded_whatever_the_list() {
    let list = (0..40).flat_map(|network| (0..=255).map(move |host| v4(network, host)));
    // The bound is checked at every target.
    assert_eq!(sweep(pace(256, 1, 10, 1_000_000, 300), list, Duration::from_millis(3)).len(), 40 * 256);
}

#[test]
fn an_address_is_had_once_in_whatever_form() {
    let mut schedule = Schedule::new(Pace::default());
    let mut offer = |address: &str| schedule.offer(address.parse().unwrap(), ()).is_ok();
    assert!(offer("192.0.2.1"));
    assert!(!offer("192.0.2.1"));
    assert!(!offer("::ffff:192.0.2.1"));
    assert!(offer("2001:db8::1"));
    assert!(!offer("2001:db8:0::1"));
    assert_eq!(schedule.waiting(), 2);
}

#[test]
fn networks_are_what_one_operator_answers_for() {
    let network = |address: &str| Network::of(address.parse().unwrap());
    assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.255"));
    assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
    assert_eq!(network("2001:db8:1::1"), network("2001:db8:1:ffff::2"));
    assert_ne!(network("2001:db8:1::1"), network("2001:db8:2::1"));
}

#[test]
fn a_refused_target_costs_no_turn() {
    let now = Instant::now();
    let mut schedule = Schedule::new(pace(8, 1, 60_000, 1, 100));
    for host in 0..50 {
        schedule.offer(v4(0, host), host).unwrap();
    }
    for host in 0..49 {
        assert_eq!(schedule.turn(now), Turn::Begin(v4(0, host), host));
        schedule.refused(v4(0, host));
    }
    assert_eq!(schedule.turn(now), Turn::Begin(v4(0, 49), 49));
    schedule.ended(v4(0, 49), now);
    assert!(schedule.is_done());
}

#[test]
fn nothing_is_left_of_networks_that_are_done() {
    let mut now = Instant::now();
    let mut schedule = Schedule::new(pace(1, 1, 5, 1_000_000, 10));
    for network in 0..100 {
        schedule.offer(v4(network, 1), ()).unwrap();
        now += Duration::from_secs(1);
        assert_eq!(schedule.turn(now), Turn::Begin(v4(network, 1), ()));
        schedule.ended(v4(network, 1), now);
    }
    assert_eq!(schedule.turn(now + Duration::from_secs(1)), Turn::Wait(None));
    assert!(schedule.lanes.is_empty() && schedule.resting.is_empty());
}
