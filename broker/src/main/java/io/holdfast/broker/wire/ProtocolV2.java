package io.holdfast.broker.wire;

import io.holdfast.broker.auth.Permission;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.TlsRequired;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.InputBudget;
import io.holdfast.broker.limits.OutOfMemoryExit;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Channel.Outcome;
import io.holdfast.broker.queue.GuidFactory;
import io.holdfast.broker.queue.Names;
import io.holdfast.broker.queue.Topic;
import io.holdfast.storage.files.Reasons;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The commands of protocol V2 for one connection (contract §1.3): a method per command, checks in
 * the contract's order, texts in its words.
 *
 * <p>Owned by the connection's event loop; strings made of client bytes hold one byte a character
 * (ISO-8859-1).
 */
public final class ProtocolV2 {
  private static final Logger LOG = LoggerFactory.getLogger(ProtocolV2.class);
  private static final byte[] CLOSE_WAIT = FrameEncoder.ascii("CLOSE_WAIT");
  private static final String E_INVALID = "E_INVALID";
  private static final int MIN_FIN_BATCH = 16;
  private static final int MAX_FIN_BATCH = 1024;
  private static final long FIN_ENTRY_BYTES = 12;

  /**
   * The largest body of IDENTIFY and AUTH: anybody can send one, and what they say is kept. nsqd
   * takes {@code max-body-size}; a client's own is a few hundred bytes, a secret a few thousand.
   */
  private static final int MAX_CLIENT_BODY_BYTES = 64 * 1024;

  private static final int EPHEMERAL_RETRIES = 2;
  private static final long EPHEMERAL_RETRY_MS = 100;
  private static final long LINGER_MS = 500;

  /** How long a client that is being closed may take over what it was sent last. */
  private static final long UNTAKEN_MS = 60_000;

  /** What follows a command's line. */
  enum Follows {
    NONE,
    BODY,
    MPUB
  }

  private final ConnectionServices services;
  private final Broker broker;
  private final Options options;
  private ChannelHandlerContext ctx;
  private ProtocolV2Decoder decoder;
  private ClientV2 client;
  private ClientOutput output;
  private Publisher publisher;
  private Upgrades upgrades;
  private Authenticator authenticator;
  private Async async;
  private ConnectionTimers timers;
  private ConnectionLog log;
  private boolean closed;
  private boolean identified;

  /** IDENTIFY or AUTH, while its body is awaited; null when it is a publish's. */
  private String bodyCommand;

  // FINs of this socket read, not yet given to the channel. Grown as needed: most connections have
  // none or few, and there may be very many connections.
  private long[] finIds = {};
  private Outcome[] finOutcomes = {};
  private int finCount;

  public ProtocolV2(ConnectionServices services) {
    this.services = services;
    broker = services.broker();
    options = broker.options();
  }

  // ---------------------------------------------------------------- the connection

  void start(ChannelHandlerContext context, ProtocolV2Decoder from) {
    if (ctx != null) {
      return;
    }
    ctx = context;
    decoder = from;
    output = new ClientOutput(ctx, services.budgets().output());
    output.onWritability(this::writabilityChanged);
    output.onClosing(this::linger);
    output.onFewPending(this::updateAutoRead);
    ClientSettings defaults = Identify.defaults(options);
    client =
        new ClientV2(
            ctx, output, defaults, new ConnectionMemory(services.budgets().memory().connections()));
    client.onClose(() -> end("channel closed"));
    client.setSettings(Identify.named(defaults, client.remoteIp(), client.remoteIp()));
    async = new Async(ctx, decoder, this);
    authenticator = new Authenticator(services.auth(), client, async);
    publisher = new Publisher(broker, client, ctx.channel().eventLoop(), async, authenticator);
    upgrades =
        new Upgrades(
            services,
            ctx,
            client,
            authenticator,
            async,
            () -> decoder.isSuspended() || !output.isWritable());
    log = new ConnectionLog(client.remoteAddress());
    timers = new ConnectionTimers(ctx, output, log);
    timers.start(defaults.heartbeatIntervalMs());
  }

  /** The bytes of one read were taken: answer them, then see whether there is more to send. */
  void readComplete() {
    flushFins();
    client.pump();
    output.flush();
    publisher.flushed();
    if (output.hasManyPending()) {
      updateAutoRead();
    }
  }

  void writabilityChanged() {
    updateAutoRead();
    // What others have not taken is not this client's fault.
    timers.writable(ctx.channel().isWritable());
    if (output.mayDeliver()) {
      client.wake();
    }
  }

  /** Who does not read what it is sent, or whose command waits, is not read from. */
  void updateAutoRead() {
    if (!decoder.isInputShutdown()) {
      ChannelConfig config = ctx.channel().config();
      boolean read = output.isWritable() && !output.hasManyPending() && !decoder.isSuspended();
      if (read && !config.isAutoRead()) {
        // What it sent meanwhile has not been looked at.
        timers.commandRead();
      }
      config.setAutoRead(read);
    }
  }

  boolean isClosed() {
    return closed;
  }

  InputBudget inputBudget() {
    return services.budgets().input();
  }

  /** The room that a command waited for is there: its time begins now. */
  void roomGranted() {
    timers.commandRead();
    updateAutoRead();
  }

  /** Whether commands are not read although the client does nothing wrong. */
  boolean isHoldingBack() {
    return output.hasManyPending();
  }

  void tooSlow() {
    end("too slow to send while others wait");
  }

  void tooMuch() {
    end("sent too much behind a command that waits");
  }

  /**
   * Ends the connection from our side, in such a way that a client that is sending sees the end of
   * the stream and no reset.
   */
  private void end(String why) {
    if (!closed) {
      log.closing(why);
      decoder.discard();
      leaveChannel();
      output.closeInOrder();
      output.flush();
    }
  }

  /** Too many clients wait to send something large. */
  ClientException noRoom(boolean isBody) {
    String command = !isBody ? "line" : bodyCommand != null ? bodyCommand : publisher.command();
    String code = isBody && bodyCommand == null ? "E_" + command + "_FAILED" : "E_INVALID";
    return ClientException.fatal(
        code, command + " failed too many large bodies are being received (max-input-bytes)");
  }

  /** Bytes of the largest MPUB behind its line. */
  int maxMpubBytes() {
    return options.maxBodySize() + Integer.BYTES;
  }

  /** Four bytes that are none. */
  void badMagic(int magic) {
    byte[] bytes = ByteBuffer.allocate(Integer.BYTES).putInt(magic).array();
    log.badMagic(new String(bytes, StandardCharsets.ISO_8859_1));
    broker.meters().protocolError("E_BAD_PROTOCOL");
    output.fatal(FrameEncoder.ascii("E_BAD_PROTOCOL"));
    decoder.discard();
  }

  /** What nsqd does with a line that is too long. */
  void closeSilently() {
    log.closing("line too long");
    output.closeInOrder();
    decoder.discard();
  }

  /** The client sends no more, and nothing is half there. */
  void endOfInput() {
    log.closing("end of input");
    output.closeInOrder();
  }

  /** The client sends no more, after a fatal error of its own. */
  void discarded() {
    if (!output.hasPending()) {
      output.close();
    }
  }

  void fail(ClientException e) {
    flushFins();
    LOG.debug("client {}: {}", client.remoteAddress(), e.getMessage());
    broker.meters().protocolError(e.getMessage());
    if (e.isFatal()) {
      log.closing(e.getMessage());
      decoder.discard();
      leaveChannel();
      output.fatal(e.getMessage().getBytes(StandardCharsets.ISO_8859_1));
    } else {
      output.error(e.getMessage().getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  /**
   * After the last frame: end our direction and let the client read it. Closing at once would reset
   * the connection while its bytes are still coming in, and take the error frame with it.
   */
  private void linger() {
    decoder.discard();
    leaveChannel();
    timers.closeAfter(UNTAKEN_MS);
    if (!(ctx.channel() instanceof DuplexChannel duplex) || duplex.isInputShutdown()) {
      output.close();
      return;
    }
    ctx.channel().config().setAutoRead(true);
    output.whenWritten(
        () -> {
          SslHandler tls = ctx.pipeline().get(SslHandler.class);
          if (tls == null) {
            shutdownOutput(duplex);
          } else {
            // close_notify goes first.
            tls.closeOutbound().addListener(sent -> shutdownOutput(duplex));
          }
        });
  }

  private void shutdownOutput(DuplexChannel duplex) {
    duplex.shutdownOutput();
    if (!closed) {
      timers.closeAfter(LINGER_MS);
    }
  }

  /** What cannot be read ends the connection; the commands before it hold and are answered. */
  void failed(Throwable cause) {
    OutOfMemoryExit.check(cause);
    log.closing(Reasons.of(cause));
    if (Upgrades.isClientsFault(cause)) {
      LOG.debug("client {}: {}", client.remoteAddress(), cause.toString());
      decoder.discard();
      output.closeInOrder();
      return;
    }
    if (cause instanceof IOException) {
      LOG.debug("client {}: {}", client.remoteAddress(), cause.toString());
    } else {
      LOG.error("client {}: closing", client.remoteAddress(), cause);
    }
    ctx.close();
  }

  void closed() {
    if (closed || ctx == null) {
      return;
    }
    closed = true;
    boolean isDeleted = client.channel() != null && client.channel().isExiting();
    log.closing(isDeleted ? "channel closed" : "connection closed");
    log.closed();
    timers.stop();
    leaveChannel();
    output.release();
    client.memory().release();
    broker.producers().remove(client);
  }

  private void leaveChannel() {
    flushFins();
    Channel channel = client.channel();
    if (channel != null) {
      client.startClose();
      channel.removeClient(client);
      broker.consumerLeft(channel);
    }
  }

  // ---------------------------------------------------------------- lines

  /** Takes a FIN without parsing a line; false when it is not in order and needs a closer look. */
  boolean finFast(ByteBuf in, int idIndex) {
    if (client.channel() == null || authenticator.isRecheckDue()) {
      return false;
    }
    for (int i = idIndex; i < idIndex + GuidFactory.ID_BYTES; i++) {
      byte b = in.getByte(i);
      if (b == ' ' || b == '\n' || b == '\r') {
        return false;
      }
    }
    long id = GuidFactory.parseHex(in, idIndex);
    if (id == -1) {
      return false;
    }
    timers.commandRead();
    addFin(id);
    return true;
  }

  private void addFin(long id) {
    if (finCount == MAX_FIN_BATCH || finCount == finIds.length && !growFins()) {
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
  private void flushFins() {
    if (finCount == 0) {
      return;
    }
    int count = finCount;
    finCount = 0;
    client.channel().finishMessages(client, finIds, count, finOutcomes);
    int finished = 0;
    for (int i = 0; i < count; i++) {
      if (finOutcomes[i] == Outcome.OK) {
        finished++;
      } else {
        String id = String.format(Locale.ROOT, "%016x", finIds[i]);
        output.error(
            FrameEncoder.ascii("E_FIN_FAILED FIN " + id + " failed " + finOutcomes[i].text()));
      }
    }
    client.finished(finished);
  }

  /** Runs the command of a line; bodies follow. */
  Follows line(String line) throws ClientException {
    timers.commandRead();
    String[] params = split(line);
    String command = params[0];
    if (isTlsMissing() && !command.equals("IDENTIFY")) {
      throw ClientException.fatal(
          E_INVALID, "cannot " + command + " in current state (TLS required)");
    }
    authenticator.recheck(command);
    bodyCommand = null;
    switch (command) {
      case "FIN" -> fin(params);
      case "RDY" -> rdy(params);
      case "REQ" -> req(params);
      case "PUB" -> {
        publisher.pub(params);
        return Follows.BODY;
      }
      case "MPUB" -> {
        publisher.mpub(params);
        return Follows.MPUB;
      }
      case "DPUB" -> {
        publisher.dpub(params);
        return Follows.BODY;
      }
      case "NOP" -> {
        // Says that the client lives.
      }
      case "TOUCH" -> touch(params);
      case "SUB" -> sub(params);
      case "CLS" -> cls();
      case "IDENTIFY" -> {
        require(client.state() == ClientV2.STATE_INIT, command);
        bodyCommand = command;
        return Follows.BODY;
      }
      case "AUTH" -> {
        require(client.state() == ClientV2.STATE_INIT, command);
        if (params.length != 1) {
          throw ClientException.fatal(E_INVALID, "AUTH invalid number of parameters");
        }
        bodyCommand = command;
        return Follows.BODY;
      }
      default -> throw ClientException.fatal(E_INVALID, "invalid command " + command);
    }
    return Follows.NONE;
  }

  /** Splits at every single space; doubled ones give empty parameters. */
  private static String[] split(String line) {
    return line.split(" ", -1);
  }

  private boolean isTlsMissing() {
    return options.tlsRequired() != TlsRequired.FALSE && !client.tls();
  }

  private static void require(boolean inState, String command) throws ClientException {
    if (!inState) {
      throw ClientException.fatal(E_INVALID, "cannot " + command + " in current state");
    }
  }

  private boolean isConsumer() {
    int state = client.state();
    return state == ClientV2.STATE_SUBSCRIBED || state == ClientV2.STATE_CLOSING;
  }

  // ---------------------------------------------------------------- consuming

  private void rdy(String[] params) throws ClientException {
    if (client.state() == ClientV2.STATE_CLOSING) {
      return;
    }
    require(client.state() == ClientV2.STATE_SUBSCRIBED, "RDY");
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
  }

  private void fin(String[] params) throws ClientException {
    require(isConsumer(), "FIN");
    requireId("FIN", params, 2);
    long id = id(params[1]);
    if (id == -1) {
      flushFins();
      throw failed("FIN", params[1], Outcome.NOT_IN_FLIGHT);
    }
    addFin(id);
  }

  private void req(String[] params) throws ClientException {
    require(isConsumer(), "REQ");
    flushFins();
    requireId("REQ", params, 3);
    if (!Decimal.isValid(params[2])) {
      throw ClientException.fatal(E_INVALID, "REQ could not parse timeout " + params[2]);
    }
    long delayMs = Decimal.clampedMs(params[2], options.maxReqTimeoutMs());
    Outcome outcome = client.channel().requeueMessage(client, id(params[1]), delayMs);
    if (outcome != Outcome.OK) {
      throw failed("REQ", params[1], outcome);
    }
    client.requeued();
  }

  private void touch(String[] params) throws ClientException {
    require(isConsumer(), "TOUCH");
    flushFins();
    requireId("TOUCH", params, 2);
    Outcome outcome = client.channel().touchMessage(client, id(params[1]));
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
    if (params[1].length() != GuidFactory.ID_BYTES) {
      throw ClientException.fatal(E_INVALID, "invalid message ID");
    }
  }

  private long id(String text) {
    ByteBuf bytes = ctx.alloc().heapBuffer(GuidFactory.ID_BYTES);
    try {
      bytes.writeCharSequence(text, StandardCharsets.ISO_8859_1);
      return GuidFactory.parseHex(bytes, 0);
    } finally {
      bytes.release();
    }
  }

  private void cls() throws ClientException {
    require(client.state() == ClientV2.STATE_SUBSCRIBED, "CLS");
    flushFins();
    client.startClose();
    output.response(CLOSE_WAIT);
  }

  private void sub(String[] params) throws ClientException {
    require(client.state() == ClientV2.STATE_INIT, "SUB");
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
        () -> subscribe(topicName, channelName, EPHEMERAL_RETRIES));
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

  // ---------------------------------------------------------------- bodies

  void checkBodySize(int size) throws ClientException {
    if (bodyCommand == null) {
      publisher.checkBodySize(size);
      return;
    }
    if (size <= 0) {
      throw ClientException.fatal("E_BAD_BODY", bodyCommand + " invalid body size " + size);
    }
    int max = options.maxBodySize();
    if (size <= max) {
      max = Math.min(max, MAX_CLIENT_BODY_BYTES);
    }
    if (size > max) {
      throw ClientException.fatal(
          "E_BAD_BODY", bodyCommand + " body too big " + size + " > " + max);
    }
  }

  void checkMpubCount(int count) throws ClientException {
    publisher.checkMpubCount(count);
  }

  void checkMpubMessage(int i, int size, int bytesBefore) throws ClientException {
    publisher.checkMpubMessage(i, size, bytesBefore);
  }

  ClientException shortBody(boolean noSize) {
    if (bodyCommand == null) {
      return publisher.shortBody(noSize);
    }
    return ClientException.fatal(
        "E_BAD_BODY",
        bodyCommand + (noSize ? " failed to read body size" : " failed to read body"));
  }

  ClientException shortMpub(int scanned, int count, int done, int readable) {
    return publisher.shortMpub(scanned, count, done, readable);
  }

  /**
   * Runs the command whose body is there.
   *
   * @param start index of its size field
   * @return false when it waits for other threads and will be called again
   */
  boolean body(ByteBuf in, int start, int size) throws ClientException {
    flushFins();
    if (bodyCommand == null) {
      return publisher.publish(in.slice(start, Integer.BYTES + size), 1);
    }
    byte[] data = new byte[size];
    in.getBytes(start + Integer.BYTES, data);
    if (bodyCommand.equals("IDENTIFY")) {
      identify(data);
      return true;
    }
    authenticator.auth(data);
    return true;
  }

  boolean mpub(ByteBuf in, int start, int bytes, int count) throws ClientException {
    flushFins();
    return publisher.publish(in.slice(start, bytes), count);
  }

  private void identify(byte[] data) throws ClientException {
    Identify identify = Identify.parse(data, options);
    if (identified) {
      client.setSettings(identify.settings().withTimingOf(client.settings()));
    } else {
      identified = true;
      client.setSettings(identify.settings());
      timers.start(identify.settings().heartbeatIntervalMs());
    }
    if (!identify.isFeatureNegotiation()) {
      output.ok();
      return;
    }
    upgrades.negotiate(identify);
  }
}
