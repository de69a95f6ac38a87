//! The promises of [`EventBus`] and [`Subscription`], written once and run against every bus: a fake
//! that is kinder than the broker makes every test above it a lie.

#![expect(clippy::expect_used, reason = "a suite of assertions stops at the first broken promise")]

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::{Delivery, EventBus, Message, Settlement, Subscription};

/// Runs every promise against fresh topics of `bus`.
///
/// # Panics
///
/// At the first broken promise, naming it.
pub async fn bus_conformance(bus: &dyn EventBus) {
    messages_of_one_key_arrive_in_order(bus).await;
    a_message_is_delivered_again_until_it_is_done(bus).await;
    redelivery_holds_back_its_key_and_no_other(bus).await;
    a_closed_subscription_leaves_its_messages_to_the_next(bus).await;
    a_new_group_starts_at_the_earliest_message(bus).await;
    one_group_has_one_owner_per_topic(bus).await;
    nothing_is_settled_twice(bus).await;
}

async fn messages_of_one_key_arrive_in_order(bus: &dyn EventBus) {
    let subscription = fresh(bus, "order", 0).await;
    for number in 0..20 {
        publish(bus, "order", number, "k").await;
    }
    for number in 0..20 {
        let delivery = next(&*subscription).await;
        assert_eq!(delivery.message.id, Uuid::from_u128(number), "messages of one key arrive in order");
        assert_eq!(delivery.attempt, 1, "a first delivery is attempt 1");
        done(&*subscription, &delivery).await;
    }
    assert_eq!(subscription.lag().await, Ok(0), "what is done is no lag");
}

async fn a_message_is_delivered_again_until_it_is_done(bus: &dyn EventBus) {
    let subscription = fresh(bus, "again", 1).await;
    for attempt in 1..=3 {
        let delivery = next(&*subscription).await;
        assert_eq!(delivery.attempt, attempt, "attempts are counted");
        assert_eq!(delivery.message.id, Uuid::from_u128(0), "a redelivery keeps the message's id");
        let again = Settlement::Redeliver { after: Duration::from_millis(5) };
        subscription.settle(&delivery, again).await.expect("a delivery in flight can be put back");
    }
    assert_eq!(subscription.lag().await, Ok(1), "what is not done is lag");
}

async fn redelivery_holds_back_its_key_and_no_other(bus: &dyn EventBus) {
    let subscription = fresh(bus, "held", 0).await;
    for (number, key) in [(1, "a"), (2, "a"), (3, "b")] {
        publish(bus, "held", number, key).await;
    }
    let first = next(&*subscription).await;
    let again = Settlement::Redeliver { after: Duration::from_millis(30) };
    subscription.settle(&first, again).await.expect("a delivery in flight can be put back");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let delivery = next(&*subscription).await;
        seen.push(delivery.message.id.as_u128());
        done(&*subscription, &delivery).await;
    }
    assert_eq!(seen, [3, 1, 2], "another key passes, its own key waits");
}

async fn a_closed_subscription_leaves_its_messages_to_the_next(bus: &dyn EventBus) {
    let subscription = fresh(bus, "closed", 2).await;
    let unsettled = next(&*subscription).await;
    subscription.close().await;
    assert_eq!(subscription.next().await, Ok(None), "a closed subscription ends");
    let successor = subscribe(bus, "closed").await;
    let delivery = next(&*successor).await;
    assert_eq!(delivery.message.id, unsettled.message.id, "what was in flight is delivered to the next subscriber");
    assert_eq!(delivery.attempt, 2, "and counts as a redelivery");
}

async fn a_new_group_starts_at_the_earliest_message(bus: &dyn EventBus) {
    publish(bus, "earliest", 7, "k").await;
    let subscription = subscribe(bus, "earliest").await;
    assert_eq!(next(&*subscription).await.message.id, Uuid::from_u128(7), "a new group starts at the earliest message");
}

async fn one_group_has_one_owner_per_topic(bus: &dyn EventBus) {
    let _owner = fresh(bus, "owned", 0).await;
    assert!(bus.subscribe("group", &["owned".to_owned()]).await.is_err(), "one group has one owner per topic");
    assert!(bus.subscribe("other", &["owned".to_owned()]).await.is_ok(), "another group may consume the topic");
}

async fn nothing_is_settled_twice(bus: &dyn EventBus) {
    let subscription = fresh(bus, "twice", 1).await;
    let delivery = next(&*subscription).await;
    done(&*subscription, &delivery).await;
    assert!(subscription.settle(&delivery, Settlement::Done).await.is_err(), "nothing is settled twice");
}

async fn fresh(bus: &dyn EventBus, topic: &str, messages: u128) -> Arc<dyn Subscription> {
    let subscription = subscribe(bus, topic).await;
    for number in 0..messages {
        publish(bus, topic, number, "k").await;
    }
    subscription
}

async fn subscribe(bus: &dyn EventBus, topic: &str) -> Arc<dyn Subscription> {
    bus.subscribe("group", &[topic.to_owned()]).await.expect("a free topic can be subscribed")
}

async fn publish(bus: &dyn EventBus, topic: &str, number: u128, key: &str) {
    let message = Message::new(Uuid::from_u128(number), "{}").with_key(key);
    bus.publish(topic, message).await.expect("an open bus takes messages");
}

async fn next(subscription: &dyn Subscription) -> Delivery {
    let waited = tokio::time::timeout(Duration::from_secs(10), subscription.next()).await;
    waited.expect("a message arrives within 10 s").expect("the bus can be read").expect("the subscription is open")
}

async fn done(subscription: &dyn Subscription, delivery: &Delivery) {
    subscription.settle(delivery, Settlement::Done).await.expect("a delivery in flight can be settled");
}
