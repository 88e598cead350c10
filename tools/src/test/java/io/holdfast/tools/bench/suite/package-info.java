/**
 * {@code bench suite} and {@code bench guard}: every workload against one or several brokers in
 * alternating rounds, each run with a fresh process and data directory; medians, a table, a plot.
 * Linux only: processes are watched through {@code /proc}. Everything runs on the command's thread.
 */
package io.holdfast.tools.bench.suite;
