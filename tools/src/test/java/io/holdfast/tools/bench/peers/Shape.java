package io.holdfast.tools.bench.peers;

/**
 * A load on one queue.
 *
 * @param publishers connections that publish
 * @param outstanding messages that each of them may have without an answer
 * @param batch messages in one command, where the protocol has that
 * @param consumers connections that consume
 * @param seconds how long to publish
 * @param count how many to publish at most
 * @param window how many may be published and not yet consumed; 0 for no limit
 * @param rate messages a second, whether or not the server keeps up; 0 for as fast as it answers
 */
record Shape(
    int publishers,
    int outstanding,
    int batch,
    int consumers,
    double seconds,
    long count,
    long window,
    double rate) {

  static Shape publish(int publishers, int outstanding, int batch, double seconds, long count) {
    return new Shape(publishers, outstanding, batch, 0, seconds, count, 0, 0);
  }

  static Shape drain(int consumers) {
    return new Shape(0, 0, 1, consumers, 0, 0, 0, 0);
  }
}
