/**
 * The command-line tools: {@link io.holdfast.tools.Main} picks a command, each command has its own
 * package. The commands of this module's client half (pub, tail, stat, bench) talk to any broker
 * that speaks NSQ's protocol and never touch a data directory; the others never speak to a broker.
 */
package io.holdfast.tools;
