package io.holdfast.broker.wire;

import io.holdfast.broker.auth.Permission;
import io.holdfast.broker.cluster.relay.RelayedSubscription;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.core.BrokerCluster;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.broker.queue.Names;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.Topic;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * SUB, RDY, FIN, REQ, TOUCH and CLS of one connection (contract §1.3). The FINs of one socket read
 * are gathered and given to the channel together, before anything that could tell their order.
 *
 * <p>Owned by the connection's event loop.
 */
final class Consuming {
  private static final byte[] CLOSE_WAIT = FrameEncoder.ascii("CLOSE_WAIT");
  private static final String E_INVALID = "E_INVALID";
  private static final int MIN_FIN_BATCH = 16;
  private static final int MAX_FIN_BATCH = 1024;
  private static final long FIN_ENTRY_BYTES = 12;
  private static final int EPHEMERAL_RETRIES = 2;
  private static final long EPHEMERAL_RETRY_MS = 100;

  private final Broker broker;
  private final Options options;
  private final ClientV2 client;
  private final ClientOutput output;
  private final Async async;
  private final Authenticator authenticator;

  // FINs of this socket read, not yet given to the channel. Grown as needed: most connections have
  // none or few, and there may be very many connections.
  private long[] finIds = {};
  private Outcome[] finOutcomes = {};
  private int finCount;

  Consuming(Broker broker, ClientV2 client, Async async, Authenticator authenticator) {
    this.broker = broker;
    options = broker.options();
    this.client = client;
    output = client.output();
    this.async = async;
    this.authenticator = authenticator;
  }

  // ---------------------------------------------------------------- FIN

  /** Takes a FIN without parsing a line; false when it is not in order and needs a closer look. */
  boolean finFast(ByteBuf in, int idIndex) {
    if (client.source() == null) {
      return false;
    }
    long id = HexId.parse(in, idIndex);
    if (id == -1) {
      return false;
    }
    addFin(id);
    return true;
  }

  void fin(String[] params) throws ClientException {
    ClientException.requireState(isConsumer(), "FIN");
    requireId("FIN", params, 2);
    long id = id(params[1]);
    if (id == -1) {
      flushFins();
      throw failed("FIN", params[1], Outcome.NOT_IN_FLIGHT);
    }
    addFin(id);
  }

  private void addFin(long id) {
    if (finCount == MAX_FIN_BATCH || (finCount == finIds.length && !growFins())) {
      flushFins();
    }
    finIds[finCount++] = id;
  }

  /** False when there are some and memory for more is used up. */
  private boolean growFins() {
    int grown = Math.min(MAX_FIN_BATCH, Math.max(MIN_FIN_BATCH, 2 * finCount));
    if (finCount > 0 && !client.memory().tryTake((grown - finCount) * FIN_ENTRY_BYTES)) {
      return false;
    }
    finIds = Arrays.copyOf(finIds, grown);
    finOutcomes = new Outcome[grown];
    return true;
  }

  /** One lock and one ledger record for the finishes of a socket read. */
  void flushFins() {
    if (finCount == 0) {
      return;
    }
    int count = finCount;
    finCount = 0;
    client.source().finishMessages(client, finIds, count, finOutcomes);
    int finished = 0;
    for (int i = 0; i < count; i++) {
      if (finOutcomes[i] == Outcome.OK) {
        finished++;
      } else {
        failed(output, "FIN", finIds[i], finOutcomes[i]);
      }
    }
    client.finished(finished);
  }

  /** Says that an answer to a message came to nothing. */
  static void failed(ClientOutput output, String command, long id, Outcome why) {
    String hex = String.format(Locale.ROOT, "%016x", id);
    output.error(
        FrameEncoder.ascii(
            "E_" + command + "_FAILED " + command + " " + hex + " failed " + why.text()));
  }

  // ---------------------------------------------------------------- the others

  private boolean isConsumer() {
    int state = client.state();
    return state == ClientV2.STATE_SUBSCRIBED || state == ClientV2.STATE_CLOSING;
  }

  void rdy(String[] params) throws ClientException {
    if (client.state() == ClientV2.STATE_CLOSING) {
      return;
    }
    ClientException.requireState(client.state() == ClientV2.STATE_SUBSCRIBED, "RDY");
    long count = 1;
    if (params.length > 1) {
      count = Decimal.parse(params[1]);
      if (!Decimal.isValid(params[1])) {
        throw ClientException.fatal(E_INVALID, "RDY could not parse count " + params[1]);
      }
    }
    if (count < 0 || count > options.maxRdyCount()) {
      throw ClientException.fatal(
          E_INVALID, "RDY count " + count + " out of range 0-" + options.maxRdyCount());
    }
    client.setReadyCount(count);
    client.source().readyChanged(client);
  }

  void req(String[] params) throws ClientException {
    ClientException.requireState(isConsumer(), "REQ");
    flushFins();
    requireId("REQ", params, 3);
    if (!Decimal.isValid(params[2])) {
      throw ClientException.fatal(E_INVALID, "REQ could not parse timeout " + params[2]);
    }
    long delayMs = Decimal.clampedMs(params[2], options.maxReqTimeoutMs());
    Outcome outcome = client.source().requeueMessage(client, id(params[1]), delayMs);
    if (outcome != Outcome.OK) {
      throw failed("REQ", params[1], outcome);
    }
    client.requeued();
  }

  void touch(String[] params) throws ClientException {
    ClientException.requireState(isConsumer(), "TOUCH");
    flushFins();
    requireId("TOUCH", params, 2);
    Outcome outcome = client.source().touchMessage(client, id(params[1]));
    if (outcome != Outcome.OK) {
      throw failed("TOUCH", params[1], outcome);
    }
  }

  private static ClientException failed(String command, String id, Outcome outcome) {
    return ClientException.error(
        "E_" + command + "_FAILED", command + " " + id + " failed " + outcome.text());
  }

  private static void requireId(String command, String[] params, int count) throws ClientException {
    if (params.length < count) {
      throw ClientException.fatal(E_INVALID, command + " insufficient number of params");
    }
    if (params[1].length() != HexId.BYTES) {
      throw ClientException.fatal(E_INVALID, "invalid message ID");
    }
  }

  private static long id(String text) {
    return HexId.parse(Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.ISO_8859_1)), 0);
  }

  void cls() throws ClientException {
    ClientException.requireState(client.state() == ClientV2.STATE_SUBSCRIBED, "CLS");
    flushFins();
    client.startClose();
    // What it was woken for, or another's turn where the order is kept.
    CompletableFuture<Void> stopped = client.source().stopped(client);
    if (stopped == null) {
      output.response(CLOSE_WAIT);
    } else {
      async.await(stopped, (done, failure) -> output.response(CLOSE_WAIT));
    }
  }

  void sub(String[] params) throws ClientException {
    ClientException.requireState(client.state() == ClientV2.STATE_INIT, "SUB");
    if (client.settings().heartbeatIntervalMs() < 0) {
      throw ClientException.fatal(E_INVALID, "cannot SUB with heartbeats disabled");
    }
    final int count = 3;
    if (params.length < count) {
      throw ClientException.fatal(E_INVALID, "SUB insufficient number of parameters");
    }
    String topicName = params[1];
    String channelName = params[2];
    if (!Names.isValid(topicName)) {
      throw ClientException.fatal(
          "E_BAD_TOPIC", "SUB topic name " + Names.quote(topicName) + " is not valid");
    }
    if (!Names.isValid(channelName)) {
      throw ClientException.fatal(
          "E_BAD_CHANNEL", "SUB channel name " + Names.quote(channelName) + " is not valid");
    }
    authenticator.check(
        "SUB",
        topicName,
        channelName,
        Permission.SUBSCRIBE,
        () -> {
          BrokerCluster cluster = broker.cluster();
          if (cluster != null && cluster.shares(topicName)) {
            subscribe(cluster.subscription(client, topicName, channelName));
          } else {
            subscribe(topicName, channelName, EPHEMERAL_RETRIES);
          }
        });
  }

  /** Joins a channel wherever it is. */
  private void subscribe(RelayedSubscription source) throws ClientException {
    client.subscribing(source);
    async.await(
        source.joined(),
        (joined, failure) -> {
          if (failure != null) {
            throw ClientException.fatal(
                "E_SUB_FAILED", "SUB failed " + BrokerException.of(failure).getMessage());
          }
          client.subscribed(source);
          output.ok();
        });
  }

  /** Joins the channel, creating it on a worker where it does not exist. */
  private void subscribe(String topicName, String channelName, int tries) throws ClientException {
    Topic topic = broker.existingTopic(topicName);
    Channel channel = topic == null ? null : topic.existingChannel(channelName);
    if (channel == null) {
      async.await(
          broker
              .topicLater(topicName)
              .thenAcceptAsync(made -> create(made, channelName), broker.workers()),
          (created, failure) -> {
            if (failure != null) {
              throw ClientException.fatal(
                  "E_SUB_FAILED", "SUB failed " + BrokerException.of(failure).getMessage());
            }
            subscribe(topicName, channelName, tries);
          });
      return;
    }
    try {
      channel.addClient(client);
    } catch (BrokerException e) {
      boolean isLeaving = channel.isExiting() && (channel.isEphemeral() || topic.isEphemeral());
      if (!isLeaving) {
        throw ClientException.fatal("E_SUB_FAILED", "SUB failed " + e.getMessage());
      }
      if (tries <= 1) {
        throw ClientException.fatal("E_SUB_FAILED", "SUB failed to deleted topic/channel");
      }
      // An ephemeral channel whose last consumer just left: its successor comes in a moment.
      async.after(EPHEMERAL_RETRY_MS, () -> subscribe(topicName, channelName, tries - 1));
      return;
    }
    client.subscribed(channel);
    output.ok();
  }

  private void create(Topic topic, String channelName) {
    try {
      topic.channel(channelName, client.keepsBacklog());
    } catch (BrokerException e) {
      throw new CompletionException(e);
    }
  }

  /** Takes the client off its channel, if it has one. */
  void leaveChannel() {
    flushFins();
    MessageSource source = client.source();
    if (source != null) {
      client.startClose();
      source.removeClient(client);
      broker.consumerLeft(source);
    }
  }

  /** The channel says that it is gone; whether there is one for this client all the same. */
  boolean outlivesChannel() {
    MessageSource source = client.source();
    return source != null && source.outlives();
  }
}
