//! Discovery, wiring report, subscriptions, ingress and drain.
