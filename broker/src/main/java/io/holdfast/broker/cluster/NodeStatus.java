package io.holdfast.broker.cluster;

/**
 * What a node tells the others each second.
 *
 * @param tcpAddress where its clients connect
 * @param httpAddress likewise; null for nowhere
 * @param version of the broker
 * @param diskFreeBytes that its disk has left
 * @param maxMsgSize the longest message that it takes, in bytes
 * @param maxBodySize the longest body of a command, in bytes
 * @param draining whether it is to lead nothing
 * @param wallClockMs ms since 1970, when it said so
 */
public record NodeStatus(
    String tcpAddress,
    String httpAddress,
    String version,
    long diskFreeBytes,
    long maxMsgSize,
    long maxBodySize,
    boolean draining,
    long wallClockMs) {}
