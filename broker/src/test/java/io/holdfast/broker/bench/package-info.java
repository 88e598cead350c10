/**
 * JMH benchmarks of the broker's parts: compiled with the tests, run by {@code -Pbench} only
 * (broker/README.md). One thread each; times are per message unless said otherwise.
 */
package io.holdfast.broker.bench;
