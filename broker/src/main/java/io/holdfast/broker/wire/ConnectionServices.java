package io.holdfast.broker.wire;

import io.holdfast.broker.auth.Authority;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.stats.Producers;
import io.holdfast.broker.tls.TlsContexts;

/**
 * What every TCP connection needs.
 *
 * @param broker the topics
 * @param tls null without a certificate
 * @param auth null when AUTH is disabled
 * @param budgets memory that all connections share
 * @param producers told which connections publish
 */
public record ConnectionServices(
    Broker broker, TlsContexts tls, Authority auth, Budgets budgets, Producers producers) {}
