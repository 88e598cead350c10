/** {@code stat}: depth, counters and rates of topics and channels, from the brokers' /stats. */
package io.holdfast.tools.stat;
