//! The in-memory bus: the common promises, and its own about bounds.

use std::time::Duration;

use onex_bus::{EventBus, Limits, MemoryBus, Message, Settlement, conformance::bus_conformance};
use uuid::Uuid;

#[tokio::test(start_paused = true)]
async fn the_memory_bus_conforms() {
    bus_conformance(&MemoryBus::new()).await;
}

#[tokio::test(start_paused = true)]
async fn publishers_wait_while_a_group_is_full() {
    let bus = MemoryBus::with_limits(Limits { queue: 2, retained: 2 });
    let subscription = bus.subscribe("group", &["t".to_owned()]).await.expect("free");
    for number in 0..2 {
        bus.publish("t", Message::new(Uuid::from_u128(number), "{}")).await.expect("open");
    }
    let third = bus.publish("t", Message::new(Uuid::from_u128(2), "{}"));
    tokio::pin!(third);
    assert!(tokio::time::timeout(Duration::from_secs(60), &mut third).await.is_err(), "the third publication waits");
    let delivery = subscription.next().await.expect("readable").expect("open");
    subscription.settle(&delivery, Settlement::Done).await.expect("in flight");
    third.await.expect("room again");
}

#[tokio::test(start_paused = true)]
async fn an_unconsumed_topic_keeps_only_its_newest_messages() {
    let bus = MemoryBus::with_limits(Limits { queue: 10, retained: 3 });
    for number in 0..100 {
        bus.publish("t", Message::new(Uuid::from_u128(number), "{}")).await.expect("open");
    }
    let subscription = bus.subscribe("late", &["t".to_owned()]).await.expect("free");
    assert_eq!(subscription.lag().await, Ok(3));
}
