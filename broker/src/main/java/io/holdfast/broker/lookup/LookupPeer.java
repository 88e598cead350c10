package io.holdfast.broker.lookup;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.broker.net.HostPort;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to one nsqlookupd (contract §6). Not thread-safe: {@link LookupLoop}'s thread owns
 * it. Every call may block up to {@link #TIMEOUT_MS} per step; a failure closes the connection and
 * a later {@link #connect} starts anew.
 */
final class LookupPeer {
  /** Limit for a dial and for waiting on a reply, in ms. */
  static final int TIMEOUT_MS = 1000;

  private static final Logger LOG = LoggerFactory.getLogger(LookupPeer.class);
  private static final byte[] MAGIC = "  V1".getBytes(StandardCharsets.US_ASCII);
  private static final JsonMapper JSON = new JsonMapper();

  private final String address;
  private final BrokerIdentity identity;
  private final int maxReplyBytes;

  /** Null while disconnected. Written by the owner, read by {@link #abort}. */
  private volatile Socket socket;

  private DataInputStream in;
  private DataOutputStream out;

  /** Null while disconnected or if the peer's IDENTIFY reply was never read. */
  private PeerInfo info;

  /** What this connection has registered, topics implied by channels included. */
  private final Set<Registration> announced = new HashSet<>();

  /**
   * @param address host:port
   * @param identity sent at each connect
   * @param maxReplyBytes a longer reply is a failure (max-body-size)
   */
  LookupPeer(String address, BrokerIdentity identity, int maxReplyBytes) {
    this.address = address;
    this.identity = identity;
    this.maxReplyBytes = maxReplyBytes;
  }

  String address() {
    return address;
  }

  boolean isConnected() {
    return socket != null;
  }

  /** The reply to IDENTIFY of the current connection; null while disconnected. */
  PeerInfo info() {
    return info;
  }

  /**
   * Dials, identifies and registers all of {@code truth}.
   *
   * @throws IOException after closing, when any step failed; text says which reply was unusable
   */
  void connect(Set<Registration> truth) throws IOException {
    close();
    LOG.info("LOOKUP({}): connecting", address);
    try {
      HostPort target = HostPort.parse(address);
      socket = new Socket();
      socket.setTcpNoDelay(true);
      // Bounds each read. Writes have no timeout in blocking I/O and need none: a reply is awaited
      // after each small command, so that the socket's buffer always has room.
      socket.setSoTimeout(TIMEOUT_MS);
      socket.connect(new InetSocketAddress(target.host(), target.port()), TIMEOUT_MS);
      in = new DataInputStream(socket.getInputStream());
      out = new DataOutputStream(socket.getOutputStream());
      out.write(MAGIC);
      info = identify();
      LOG.info("LOOKUP({}): peer info {}", address, info);
      if (info.broadcastAddress() == null || info.broadcastAddress().isEmpty()) {
        LOG.error("LOOKUP({}): no broadcast address", address);
      }
      reconcile(truth, topic -> true);
    } catch (IOException | IllegalArgumentException e) {
      close();
      throw e instanceof IOException io ? io : new IOException(e.getMessage(), e);
    }
  }

  private PeerInfo identify() throws IOException {
    byte[] body = JSON.writeValueAsBytes(identity);
    ByteArrayOutputStream command = new ByteArrayOutputStream();
    DataOutputStream data = new DataOutputStream(command);
    data.writeBytes("IDENTIFY\n");
    data.writeInt(body.length);
    data.write(body);
    byte[] reply = roundTrip(command.toByteArray());
    try {
      // A reply of E_INVALID or E_BAD_BODY is not JSON either.
      PeerInfo parsed = JSON.readValue(reply, PeerInfo.class);
      if (parsed == null) {
        throw new IOException("IDENTIFY was answered with null");
      }
      return parsed;
    } catch (JsonProcessingException e) {
      throw new IOException(
          "IDENTIFY was answered with " + new String(reply, StandardCharsets.UTF_8), e);
    }
  }

  /**
   * Makes what is registered what exists: takes back what the peer was told and is true no more,
   * tells it what is true and it was not told.
   *
   * @param about looks at these topics only
   * @throws IOException after closing
   */
  void reconcile(Set<Registration> truth, Predicate<String> about) throws IOException {
    Set<Registration> wanted = withTopics(truth);
    List<Registration> stale = new ArrayList<>();
    for (Registration told : announced) {
      if (!about.test(told.topic())) {
        continue;
      }
      // A topic taken back takes its channels along.
      boolean impliedByTopic =
          told.channel() != null && !wanted.contains(new Registration(told.topic(), null));
      if (!wanted.contains(told) && !impliedByTopic) {
        stale.add(told);
      }
    }
    for (Registration told : stale) {
      unregister(told);
    }
    for (Registration registration : announcements(wanted)) {
      if (about.test(registration.topic()) && !isRegistered(registration)) {
        register(registration);
      }
    }
  }

  /** A topic line only for topics without channels: a channel's line implies its topic. */
  private static List<Registration> announcements(Set<Registration> wanted) {
    Set<String> withChannels = new HashSet<>();
    for (Registration registration : wanted) {
      if (registration.channel() != null) {
        withChannels.add(registration.topic());
      }
    }
    List<Registration> lines = new ArrayList<>();
    for (Registration registration : wanted) {
      if (registration.channel() != null || !withChannels.contains(registration.topic())) {
        lines.add(registration);
      }
    }
    return lines;
  }

  /** {@code truth} plus the topic of each channel in it. */
  static Set<Registration> withTopics(Iterable<Registration> truth) {
    Set<Registration> all = new LinkedHashSet<>();
    for (Registration registration : truth) {
      all.add(registration);
      all.add(new Registration(registration.topic(), null));
    }
    return all;
  }

  /** REGISTER; the reply is awaited but not judged. Throws after closing. */
  void register(Registration registration) throws IOException {
    send(registration.line("REGISTER"));
    announced.add(registration);
    announced.add(new Registration(registration.topic(), null));
  }

  /** Whether the peer was told of it, perhaps by way of a topic's channel. */
  boolean isRegistered(Registration registration) {
    return announced.contains(registration);
  }

  /** UNREGISTER; the reply is awaited but not judged. Throws after closing. */
  void unregister(Registration registration) throws IOException {
    send(registration.line("UNREGISTER"));
    if (registration.channel() == null) {
      announced.removeIf(told -> told.topic().equals(registration.topic()));
    } else {
      announced.remove(registration);
    }
  }

  /** PING; finds out about a connection closed by the peer. Throws after closing. */
  void ping() throws IOException {
    roundTripOrClose("PING\n");
  }

  private void send(String line) throws IOException {
    LOG.info("LOOKUP({}): {}", address, line.stripTrailing());
    roundTripOrClose(line);
  }

  private void roundTripOrClose(String line) throws IOException {
    try {
      roundTrip(line.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  private byte[] roundTrip(byte[] command) throws IOException {
    if (socket == null) {
      throw new IOException("not connected");
    }
    out.write(command);
    int size = in.readInt();
    if (size < 0 || size > maxReplyBytes) {
      throw new IOException("reply size " + size + " is out of range 0-" + maxReplyBytes);
    }
    byte[] reply = new byte[size];
    in.readFully(reply);
    return reply;
  }

  /** Ends what the owner waits for, if anything: its call fails. Any thread. */
  void abort() {
    Socket waiting = socket;
    if (waiting != null) {
      close(waiting);
    }
  }

  /** Drops the connection, if any; the peer then forgets what it was told. */
  void close() {
    announced.clear();
    info = null;
    Socket closing = socket;
    socket = null;
    if (closing != null) {
      close(closing);
    }
  }

  private void close(Socket closing) {
    try {
      closing.close();
    } catch (IOException e) {
      LOG.debug("LOOKUP({}): close", address, e);
    }
  }
}
