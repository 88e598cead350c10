package io.holdfast.broker.wire;

import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.InFlightQueue;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.Subscriber;
import io.holdfast.broker.queue.SubscriberInfo;
import io.holdfast.broker.stats.ClientFigures;
import io.holdfast.broker.stats.StatsSnapshot;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One TCP client: who it is, its state, RDY and counters.
 *
 * <p>The connection's event loop writes everything but {@link #inFlight} and {@link #waiting},
 * which the subscribed channel's lock guards. What /stats shows is volatile, for other threads to
 * read.
 */
public final class ClientV2 implements Subscriber, ClientFigures {
  private static final Logger LOG = LoggerFactory.getLogger(ClientV2.class);

  /** Connected. */
  public static final int STATE_INIT = 0;

  /** Subscribed. */
  public static final int STATE_SUBSCRIBED = 3;

  /** After CLS. */
  public static final int STATE_CLOSING = 4;

  private static final String PROTOCOL = "V2";
  private static final long MS_PER_SECOND = 1000;
  private static final int PUB_COUNTER_BYTES = 128;

  private final ChannelHandlerContext ctx;
  private final ClientOutput output;
  private final ConnectionMemory memory;
  private final MessagePump pump;
  private final String remoteAddress;
  private final long connectTimeMs = System.currentTimeMillis();
  private final long connectedNs = System.nanoTime();
  private final InFlightQueue inFlight = new InFlightQueue();
  private final Map<String, AtomicLong> pubCounts = new ConcurrentHashMap<>();

  /** Of topics that there was no memory left to count, see {@link #pubCounter}. */
  private final AtomicLong uncounted = new AtomicLong();

  private volatile ClientSettings settings;
  private volatile ClientSecurity security = ClientSecurity.NONE;
  private volatile int state = STATE_INIT;
  private volatile MessageSource source;
  private volatile long readyCount;
  private volatile long messageCount;
  private volatile long finishCount;
  private volatile long requeueCount;
  private Runnable onClose;
  private volatile boolean waiting;
  private volatile boolean keepsBacklog;

  /**
   * @param settings in force until IDENTIFY
   * @param memory released by whoever gave it
   */
  public ClientV2(
      ChannelHandlerContext ctx,
      ClientOutput output,
      ClientSettings settings,
      ConnectionMemory memory) {
    this.memory = memory;
    this.ctx = ctx;
    this.output = output;
    this.settings = settings;
    onClose = ctx::close;
    pump = new MessagePump(this, ctx.channel().eventLoop(), output);
    remoteAddress = text(ctx.channel().remoteAddress());
  }

  private static String text(SocketAddress address) {
    if (address instanceof InetSocketAddress inet) {
      return NetUtil.toSocketAddressString(inet); // as RFC 5952 writes IPv6
    }
    return String.valueOf(address);
  }

  // ---------------------------------------------------------------- delivery

  /** What it keeps because of what the client said. Event loop. */
  public ConnectionMemory memory() {
    return memory;
  }

  /** The frames on their way to it. Event loop. */
  public ClientOutput output() {
    return output;
  }

  /** Has the messagePump run soon. Any thread. */
  @Override
  public void wake() {
    pump.wake();
  }

  /** Runs the messagePump, unless the channel had nothing and will wake it. Event loop. */
  public void pump() {
    if (!waiting) {
      pump.pump();
    }
  }

  /** Its event loop runs it. */
  @Override
  public boolean runLater(Runnable task, long delayNs) {
    try {
      ctx.channel().eventLoop().schedule(task, delayNs, TimeUnit.NANOSECONDS);
      return true;
    } catch (RejectedExecutionException e) {
      LOG.debug("the broker stops and this client's event loop has ended", e);
      return false;
    }
  }

  @Override
  public InFlightQueue inFlight() {
    return inFlight;
  }

  @Override
  public boolean isWaiting() {
    return waiting;
  }

  @Override
  public void setWaiting(boolean waits) {
    waiting = waits;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // only its event loop counts
  void sent(int messages) {
    messageCount += messages;
  }

  /** RDY. Event loop. */
  public void setReadyCount(long count) {
    readyCount = count;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // only its event loop counts
  public void finished(int messages) {
    finishCount += messages;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // only its event loop counts
  public void requeued() {
    requeueCount++;
  }

  @Override
  public long msgTimeoutNs() {
    return TimeUnit.MILLISECONDS.toNanos(settings.msgTimeoutMs());
  }

  @Override
  public boolean askedMsgTimeout() {
    return settings.askedMsgTimeout();
  }

  @Override
  public int sampleRate() {
    return settings.sampleRate();
  }

  @Override
  public long maxHoldNs() {
    return settings.maxHoldNs();
  }

  @Override
  public String topologyZone() {
    return settings.topologyZone();
  }

  @Override
  public String topologyRegion() {
    return settings.topologyRegion();
  }

  // ---------------------------------------------------------------- state

  public int state() {
    return state;
  }

  @Override
  public boolean isSubscribed() {
    return state == STATE_SUBSCRIBED;
  }

  /** What it has subscribed to, or is about to; null for nothing. */
  public MessageSource source() {
    return source;
  }

  /** SUB is under way. Event loop. */
  void subscribing(MessageSource to) {
    source = to;
  }

  /** SUB worked. Event loop. */
  public void subscribed(MessageSource to) {
    source = to;
    state = STATE_SUBSCRIBED;
  }

  /** CLS: no more messages. Event loop. */
  public void startClose() {
    readyCount = 0;
    state = STATE_CLOSING;
  }

  /** What {@link #close} does instead of closing at once. Event loop. */
  public void onClose(Runnable action) {
    onClose = action;
  }

  @Override
  public SubscriberInfo info() {
    ClientSettings now = settings;
    return new SubscriberInfo(
        now.clientId(),
        now.hostname(),
        now.userAgent(),
        remoteAddress,
        now.topologyZone(),
        now.topologyRegion(),
        connectTimeMs,
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - connectedNs),
        msgTimeoutNs(),
        now.askedMsgTimeout(),
        now.sampleRate(),
        now.maxHoldNs(),
        keepsBacklog,
        security.toInfo());
  }

  @Override
  public void failed(String command, long id, Outcome why) {
    Consuming.failed(output, command, id, why);
    output.flush();
  }

  @Override
  public void close() {
    try {
      ctx.channel().eventLoop().execute(() -> onClose.run());
    } catch (RejectedExecutionException e) {
      LOG.debug("the broker stops and this client's event loop has ended", e);
    }
  }

  /**
   * Whether it only looks at topics whose channels are ephemeral, see {@link Channel#isPeeking}.
   */
  public boolean keepsBacklog() {
    return keepsBacklog;
  }

  /** It said so. Event loop. */
  public void setKeepsBacklog(boolean keeps) {
    keepsBacklog = keeps;
  }

  public ClientSettings settings() {
    return settings;
  }

  public void setSettings(ClientSettings identified) {
    settings = identified;
  }

  public ClientSecurity security() {
    return security;
  }

  public void setSecurity(ClientSecurity now) {
    security = now;
  }

  // ---------------------------------------------------------------- publishing

  /**
   * The counter of publishes to a topic, for {@link AtomicLong#lazySet} by the event loop. Where
   * connections have used up their memory, it is one that is not shown.
   *
   * @return the same object each time
   */
  public AtomicLong pubCounter(String topic) {
    AtomicLong counter = pubCounts.get(topic);
    if (counter == null) {
      if (!pubCounts.isEmpty() && !memory.tryTake(PUB_COUNTER_BYTES)) {
        return uncounted;
      }
      counter = new AtomicLong();
      pubCounts.put(topic, counter);
    }
    return counter;
  }

  // ---------------------------------------------------------------- figures (any thread)

  @Override
  public StatsSnapshot.ClientStats figures(String topicFilter) {
    Map<String, Long> counts = new LinkedHashMap<>();
    pubCounts.forEach((topic, count) -> counts.put(topic, count.get()));
    ClientSettings now = settings;
    ClientSecurity secured = security;
    return new StatsSnapshot.ClientStats(
        now.clientId(),
        now.hostname(),
        PROTOCOL,
        remoteAddress,
        state,
        readyCount,
        inFlight.size(),
        messageCount,
        finishCount,
        requeueCount,
        connectTimeMs / MS_PER_SECOND,
        now.sampleRate(),
        secured.deflate(),
        secured.snappy(),
        now.userAgent(),
        secured.authed(),
        secured.authIdentity(),
        secured.authIdentityUrl(),
        now.topologyZone(),
        now.topologyRegion(),
        StatsSnapshot.pubCounts(counts, topicFilter),
        secured.tls(),
        secured.tlsCipherSuite(),
        secured.tlsVersion(),
        secured.tlsNegotiatedProtocol(),
        secured.tlsNegotiatedProtocolIsMutual(),
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - connectedNs),
        null);
  }

  /** As host:port. */
  public String remoteAddress() {
    return remoteAddress;
  }

  /** Without the port; empty for a unix socket. */
  public String remoteIp() {
    SocketAddress address = ctx.channel().remoteAddress();
    return address instanceof InetSocketAddress inet
        ? NetUtil.toAddressString(inet.getAddress())
        : "";
  }

  @Override
  public long readyCount() {
    return readyCount;
  }

  /** Messages it has and did not answer. */
  public long inFlightCount() {
    return inFlight.size();
  }
}
