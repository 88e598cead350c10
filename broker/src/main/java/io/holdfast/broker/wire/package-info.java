/** The TCP protocol: connections, commands, frames, and the consumers behind them. */
package io.holdfast.broker.wire;
