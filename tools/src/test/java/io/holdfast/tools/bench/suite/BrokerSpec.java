package io.holdfast.tools.bench.suite;

/**
 * A broker to measure.
 *
 * @param name in the report
 * @param command how to start it
 */
record BrokerSpec(String name, CommandTemplate command) {}
