package io.holdfast.broker.queue;

/** What a log that brokers share knows a publish command by, so that it is stored once. */
public interface PublishIdentity {}
