package io.holdfast.broker.cluster.peers;

import io.holdfast.broker.config.TlsVersion;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.tls.TlsContexts;
import io.holdfast.broker.tls.TlsException;
import io.holdfast.broker.tls.TlsOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a node reaches the others.
 *
 * @param node this node's name
 * @param addresses where each node listens, this one included; for this one port 0 is any free one,
 *     and a node of which nothing is known yet is null, see {@link Peers#moved}
 * @param maxFrameBytes a longer frame closes its connection
 * @param maxQueuedBytes a request that would have more wait for one node fails at once
 * @param tls as of {@link #mutualTls}; null for clear text
 * @param times how long things may take
 */
public record PeersConfig(
    String node,
    Map<String, HostPort> addresses,
    int maxFrameBytes,
    long maxQueuedBytes,
    TlsContexts tls,
    Times times) {

  /**
   * How long things may take.
   *
   * @param connect for a TCP connection
   * @param handshake for TLS and the two handshakes, after the connection is there
   * @param retry from one attempt to connect to the next
   * @param ping after which a silent connection is asked for a sign
   * @param silence after which a connection without any sign is closed
   */
  public record Times(
      Duration connect, Duration handshake, Duration retry, Duration ping, Duration silence) {
    /** What is used outside of tests. */
    public static final Times DEFAULT =
        new Times(
            Duration.ofSeconds(2),
            Duration.ofSeconds(5),
            Duration.ofMillis(500),
            Duration.ofSeconds(1),
            Duration.ofSeconds(3));
  }

  /**
   * Copies and checks.
   *
   * @throws IllegalArgumentException when there is no address for this node
   */
  public PeersConfig {
    addresses = Collections.unmodifiableMap(new TreeMap<>(addresses));
    if (addresses.get(node) == null) {
      throw new IllegalArgumentException("no address for " + node + ": " + addresses.keySet());
    }
  }

  /**
   * The TLS of {@link #tls()}; both sides need a certificate that the authorities signed.
   *
   * @param cert PEM file: the node's certificate, then intermediates
   * @param key PEM file with its private key
   * @param ca PEM file of the authorities
   * @throws TlsException naming the file that is missing or unusable
   */
  public static TlsContexts mutualTls(Path cert, Path key, Path ca) throws TlsException {
    return new TlsContexts(
        new TlsOptions(
            cert, key, ca, TlsOptions.ClientAuthPolicy.REQUIRE_VERIFY_UNNAMED, TlsVersion.TLS1_2),
        System::nanoTime);
  }

  /** The other nodes' names and this one's, as messages have them: {@code a, b, c}. */
  String names() {
    return String.join(", ", addresses.keySet());
  }
}
