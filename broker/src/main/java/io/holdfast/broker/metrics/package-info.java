/**
 * What Prometheus scrapes: one registry for the figures of topics, channels, storage and JVM. Reads
 * snapshots of figures that others keep; nothing here is on the path of a message.
 */
package io.holdfast.broker.metrics;
