package io.holdfast.broker.wire;

import io.holdfast.broker.auth.AuthSession.Verdict;
import io.holdfast.broker.auth.Permission;
import io.holdfast.broker.cluster.forward.PublishForwarder;
import io.holdfast.broker.config.Durability;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.core.BrokerCluster;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Names;
import io.holdfast.broker.queue.PublishListener;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.stats.Producers;
import io.holdfast.storage.journal.StorageOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * PUB, MPUB and DPUB of one connection (contract §1.3, §1.4). A publish is all or nothing; its OK
 * leaves when the messages hold as configured, in the order of the commands.
 *
 * <p>Owned by the connection's event loop.
 */
final class Publisher {
  private static final Logger LOG = LoggerFactory.getLogger(Publisher.class);
  private static final String E_INVALID = "E_INVALID";
  private static final String E_BAD_MESSAGE = "E_BAD_MESSAGE";
  private static final String E_BAD_BODY = "E_BAD_BODY";
  private static final int MIN_MPUB_MESSAGE_BYTES = 5;

  private final Broker broker;

  /** null for a broker of none. */
  private final BrokerCluster cluster;

  private final Producers producers;
  private final Options options;
  private final ClientV2 client;
  private final ClientOutput output;
  private final EventLoop eventLoop;
  private final Async async;
  private final Authenticator authenticator;

  // The command whose body is awaited.
  private String command;
  private String topicName;
  private long deferMs;

  /** What the auth check said of it, null before. */
  private Verdict verdict;

  private BrokerException creationError;

  /** When a command came that had to wait for other threads, wall clock ns; 0 for now. */
  private long arrivedNs;

  /** The topic published to last, so that a stream of PUBs looks it up once. */
  private Topic topic;

  private AtomicLong counter;

  /** The shared topic that {@link #counter} counts. */
  private String countedTopic;

  // The publishes of this socket read whose OK leaves with the next flush.
  private long firstCompleteNs;
  private int answered;

  Publisher(
      ConnectionServices services,
      ClientV2 client,
      EventLoop eventLoop,
      Async async,
      Authenticator authenticator) {
    broker = services.broker();
    cluster = broker.cluster();
    producers = services.producers();
    options = broker.options();
    this.client = client;
    output = client.output();
    this.eventLoop = eventLoop;
    this.async = async;
    this.authenticator = authenticator;
  }

  // ---------------------------------------------------------------- lines

  void pub(String[] params) throws ClientException {
    begin("PUB", params, 2, "E_BAD_TOPIC");
  }

  void dpub(String[] params) throws ClientException {
    begin("DPUB", params, 3, "E_BAD_TOPIC");
    if (!Decimal.isValid(params[2])) {
      throw ClientException.fatal(E_INVALID, "DPUB could not parse timeout " + params[2]);
    }
    long ms = Decimal.ms(params[2]);
    if (ms < 0 || ms > options.maxReqTimeoutMs()) {
      throw ClientException.fatal(
          E_INVALID,
          "DPUB timeout "
              + Decimal.parse(params[2])
              + " out of range 0-"
              + options.maxReqTimeoutMs());
    }
    deferMs = ms;
  }

  void mpub(String[] params) throws ClientException {
    // nsqd really doubles the code here.
    begin("MPUB", params, 2, "E_BAD_TOPIC E_BAD_TOPIC");
    String name = topicName;
    authenticator.check(
        command,
        name,
        "",
        Permission.PUBLISH,
        () -> {
          verdict = Verdict.ALLOWED;
          boolean isShared = cluster != null && cluster.shares(name);
          if (!isShared && existing() == null) {
            noteArrival();
            create(name);
          }
        });
  }

  private void begin(String name, String[] params, int count, String badTopic)
      throws ClientException {
    if (params.length < count) {
      throw ClientException.fatal(E_INVALID, name + " insufficient number of parameters");
    }
    if (topic == null || !topic.name().equals(params[1])) {
      if (!Names.isValid(params[1])) {
        throw ClientException.fatal(
            badTopic, name + " topic name " + Names.quote(params[1]) + " is not valid");
      }
      topic = null;
    }
    command = name;
    topicName = params[1];
    deferMs = 0;
    verdict = null;
    creationError = null;
    arrivedNs = 0;
  }

  private void noteArrival() {
    if (arrivedNs == 0) {
      arrivedNs = StorageOptions.wallNowNs();
    }
  }

  /** The publish whose body is awaited. */
  String command() {
    return command;
  }

  // ---------------------------------------------------------------- framing

  void checkBodySize(int size) throws ClientException {
    if (command.equals("MPUB")) {
      if (size <= 0) {
        throw ClientException.fatal(E_BAD_BODY, "MPUB invalid body size " + size);
      }
      tooBig(E_BAD_BODY, "MPUB body too big ", size, options.maxBodySize());
      return;
    }
    if (size <= 0) {
      throw ClientException.fatal(E_BAD_MESSAGE, command + " invalid message body size " + size);
    }
    tooBig(E_BAD_MESSAGE, command + " message too big ", size, options.maxMsgSize());
  }

  private static void tooBig(String code, String text, long size, long max) throws ClientException {
    if (size > max) {
      throw ClientException.fatal(code, text + size + " > " + max);
    }
  }

  void checkMpubCount(int count) throws ClientException {
    if (count <= 0 || count > (options.maxBodySize() - Integer.BYTES) / MIN_MPUB_MESSAGE_BYTES) {
      throw ClientException.fatal(E_BAD_BODY, "MPUB invalid message count " + count);
    }
  }

  /** Checks the size of message i, before which so many bytes of messages came. */
  void checkMpubMessage(int i, int size, int bytesBefore) throws ClientException {
    if (size <= 0) {
      throw ClientException.fatal(
          E_BAD_MESSAGE, "MPUB invalid message(" + i + ") body size " + size);
    }
    tooBig(E_BAD_MESSAGE, "MPUB message too big ", size, options.maxMsgSize());
    // nsqd would gather up to count times max-msg-size; here the stated limit holds for the sum.
    long bytes = (long) bytesBefore + Integer.BYTES + size + Integer.BYTES;
    tooBig(E_BAD_BODY, "MPUB body too big ", bytes, options.maxBodySize());
  }

  ClientException shortBody(boolean noSize) {
    return ClientException.fatal(
        E_BAD_MESSAGE,
        command + (noSize ? " failed to read message body size" : " failed to read message body"));
  }

  /** The input ended within an MPUB, so many bytes of which were understood. */
  ClientException shortMpub(int scanned, int count, int done, int readable) {
    if (scanned < Integer.BYTES) {
      return ClientException.fatal(E_BAD_BODY, "MPUB failed to read body size");
    }
    if (count < 0) {
      return ClientException.fatal(E_BAD_BODY, "MPUB failed to read message count");
    }
    return readable - scanned < Integer.BYTES
        ? ClientException.fatal(
            E_BAD_MESSAGE, "MPUB failed to read message(" + done + ") body size")
        : ClientException.fatal(E_BAD_MESSAGE, "MPUB failed to read message body");
  }

  // ---------------------------------------------------------------- publishing

  /**
   * Publishes the messages of the command, which are all there and well-formed.
   *
   * @return false when it waits for other threads; it is to be called again with the same messages
   */
  boolean publish(ByteBuf section, int count) throws ClientException {
    if (verdict == null && authenticator.isEnabled()) {
      CompletableFuture<Verdict> check = authenticator.verdict(topicName, "", Permission.PUBLISH);
      if (!check.isDone()) {
        noteArrival();
        async.await(check, (value, failure) -> verdict = value);
        return false;
      }
      verdict = check.join();
    }
    if (verdict != null) {
      authenticator.require(verdict, command, topicName, "");
    }
    if (creationError != null) {
      throw failed(creationError.getMessage());
    }
    if (cluster != null && cluster.shares(topicName)) {
      publishShared(section, count);
      return true;
    }
    Topic to = existing();
    if (to == null) {
      noteArrival();
      create(topicName);
      return false;
    }
    // One look at the clock for all publishes of a socket read.
    long startNs = answered == 0 ? System.nanoTime() : firstCompleteNs;
    Reply reply = options.durability() == Durability.SYNCED ? new Reply(command, startNs) : null;
    boolean durable;
    try {
      durable = to.putMessages(section.nioBuffer(), count, deferMs, arrivedNs, reply);
    } catch (BrokerException e) {
      throw failed(e.getMessage());
    }
    counter.lazySet(counter.get() + count);
    if (durable) {
      output.ok();
      if (answered++ == 0) {
        firstCompleteNs = startNs;
      }
    } else {
      reply.place = output.reserve();
    }
    return true;
  }

  /** Whoever leads the topic gets it, or makes it; what becomes of it is told later. */
  private void publishShared(ByteBuf section, int count) throws ClientException {
    if (counter == null || !topicName.equals(countedTopic)) {
      countedTopic = topicName;
      counter = client.pubCounter(topicName);
      producers.add(client);
    }
    Reply reply = new Reply(command, System.nanoTime());
    reply.place = output.reserve();
    counter.lazySet(counter.get() + count);
    PublishForwarder publishes = cluster.publishes();
    if (!publishes.publish(topicName, section.nioBuffer(), count, deferMs, reply)) {
      CompletableFuture<Void> room = new CompletableFuture<>();
      publishes.whenRoom(() -> room.complete(null));
      async.await(room, (nothing, failure) -> {});
    }
  }

  /** What was answered has been sent: all publishes of one socket read count as the first one. */
  void flushed() {
    if (answered > 0) {
      broker.meters().publish().record(System.nanoTime() - firstCompleteNs, answered);
      answered = 0;
    }
  }

  private ClientException failed(String reason) {
    return ClientException.fatal("E_" + command + "_FAILED", command + " failed " + reason);
  }

  private Topic existing() {
    if (topic == null || topic.isExiting()) {
      topic = broker.existingTopic(topicName);
      if (topic != null) {
        counter = client.pubCounter(topic.name());
        countedTopic = null;
        producers.add(client);
      }
    }
    return topic;
  }

  private void create(String name) throws ClientException {
    async.await(
        broker.topicLater(name),
        (created, failure) -> creationError = failure == null ? null : BrokerException.of(failure));
  }

  /** The answer to a publish that waits for the disk. */
  private final class Reply implements PublishListener {
    private final String of;
    private final long startNs;
    private Object place;

    private Reply(String command, long startNs) {
      of = command;
      this.startNs = startNs;
    }

    @Override
    public void onDurable() {
      broker.meters().publish().record(System.nanoTime() - startNs);
      complete(null);
    }

    @Override
    public void onFailed(String error) {
      String text = "E_" + of + "_FAILED " + of + " failed " + error;
      broker.meters().protocolError(text);
      complete(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private void complete(byte[] error) {
      try {
        eventLoop.execute(() -> output.complete(place, error));
      } catch (RejectedExecutionException e) {
        LOG.debug("the broker stops and this client's event loop has ended", e);
      }
    }
  }
}
