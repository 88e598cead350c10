package io.holdfast.broker.http;

/**
 * What a client may cost.
 *
 * @param maxConnections open connections of all listeners that share budgets, as far as memory and
 *     descriptors have room for them; more are closed at once
 * @param maxRequestLineBytes longer: 431
 * @param maxHeaderBytes longer: 431
 * @param requestIdleTimeoutMs a connection that neither sends the rest of a begun request nor takes
 *     the rest of an answer for so long is closed
 * @param keepAliveTimeoutMs a connection without request for so long is closed. Long: nsqd has no
 *     such limit, and a client that pools connections sees a failed request when we close first
 */
public record HttpLimits(
    int maxConnections,
    int maxRequestLineBytes,
    int maxHeaderBytes,
    long requestIdleTimeoutMs,
    long keepAliveTimeoutMs) {
  /** What the broker runs with. */
  public static final HttpLimits DEFAULT =
      new HttpLimits(10_000, 16 * 1024, 32 * 1024, 30_000, 600_000);
}
