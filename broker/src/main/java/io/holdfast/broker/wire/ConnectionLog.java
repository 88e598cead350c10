package io.holdfast.broker.wire;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lines about one connection that operators of nsqd look for, and why it ended: the first
 * reason given. Owned by the connection's event loop.
 */
final class ConnectionLog {
  private static final Logger LOG = LoggerFactory.getLogger("connections");

  private static final int MAX_REASON = 300;

  private final String address;
  private String reason;

  /**
   * @param address the client's, as people write it
   */
  ConnectionLog(String address) {
    this.address = address;
    LOG.info("TCP: new client({})", address);
  }

  /**
   * @param magic what came instead, one character for each byte
   */
  void badMagic(String magic) {
    LOG.error("client({}) bad protocol magic '{}'", address, magic);
    closing("bad protocol magic");
  }

  /** The connection is about to end; whatever follows from that is no reason. */
  void closing(String why) {
    if (reason == null) {
      // What a client says may be in it, and it may say much.
      reason = why.length() <= MAX_REASON ? why : why.substring(0, MAX_REASON) + "...";
    }
  }

  void closed() {
    LOG.info("TCP: client({}) closed: {}", address, reason);
  }
}
