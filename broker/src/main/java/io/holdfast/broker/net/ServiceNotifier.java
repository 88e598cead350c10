package io.holdfast.broker.net;

import io.holdfast.storage.files.Reasons;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.io.FileNotFoundException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells systemd, or whoever set {@code NOTIFY_SOCKET}, that the broker is ready, lives and stops:
 * sd_notify(3). Does nothing where nobody asks. Thread-safe.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what a datagram's end brings is logged
public final class ServiceNotifier {
  private static final Logger LOG = LoggerFactory.getLogger(ServiceNotifier.class);
  private static final long SEND_MS = 500;

  private final Transport transport;

  /** null: nobody wants to know. */
  private final String path;

  /** 0: nobody wants to know. */
  private final long watchdogNs;

  /** The last word to the watchdog, which need not read; null before the first. */
  private volatile Future<Void> beat;

  private volatile boolean isFailureTold;

  private ServiceNotifier(Transport transport, String path, long watchdogNs) {
    this.transport = transport;
    this.path = path;
    this.watchdogNs = watchdogNs;
  }

  /**
   * Looks at {@code NOTIFY_SOCKET}, {@code WATCHDOG_USEC} and {@code WATCHDOG_PID}. What cannot be
   * used there is logged.
   *
   * @param environment the process's
   * @param pid the process's
   */
  public static ServiceNotifier of(Map<String, String> environment, long pid, Transport transport) {
    String path = environment.getOrDefault("NOTIFY_SOCKET", "");
    if (path.isEmpty()) {
      return new ServiceNotifier(transport, null, 0);
    }
    if (!path.startsWith("/") && !path.startsWith("@")) {
      LOG.warn("NOTIFY_SOCKET {} is neither a path nor @abstract: nobody is notified", path);
      return new ServiceNotifier(transport, null, 0);
    }
    if (!Epoll.isAvailable()) {
      LOG.warn("NOTIFY_SOCKET {} needs epoll: nobody is notified", path);
      return new ServiceNotifier(transport, null, 0);
    }
    String watched = environment.getOrDefault("WATCHDOG_PID", String.valueOf(pid));
    long watchdogNs =
        watched.equals(String.valueOf(pid)) ? watchdogNs(environment.get("WATCHDOG_USEC")) : 0;
    return new ServiceNotifier(transport, path, watchdogNs);
  }

  private static long watchdogNs(String usec) {
    if (usec == null) {
      return 0;
    }
    try {
      return TimeUnit.MICROSECONDS.toNanos(Math.max(0, Long.parseLong(usec)));
    } catch (NumberFormatException e) {
      LOG.warn("WATCHDOG_USEC {} is no number: the watchdog gets nothing", usec);
      return 0;
    }
  }

  /** The broker serves; from now on the watchdog hears of it while its event loops turn. */
  public void ready() {
    send("READY=1").awaitUninterruptibly(SEND_MS);
    if (path != null && watchdogNs > 1) {
      transport
          .acceptors()
          .next()
          .scheduleAtFixedRate(
              () -> passOn(transport.workers().iterator()),
              watchdogNs / 2,
              watchdogNs / 2,
              TimeUnit.NANOSECONDS);
    }
  }

  /** The end has begun. */
  public void stopping() {
    send("STOPPING=1").awaitUninterruptibly(SEND_MS);
  }

  /** From one event loop to the next: when one hangs, the watchdog hears nothing. */
  private void passOn(Iterator<EventExecutor> loops) {
    if (!loops.hasNext()) {
      if (beat == null || beat.isDone()) {
        beat = send("WATCHDOG=1");
      }
      return;
    }
    try {
      loops.next().execute(() -> passOn(loops));
    } catch (RejectedExecutionException e) {
      LOG.debug("the broker stops and an event loop has ended", e);
    }
  }

  /** Ends when it is sent, or failed, which is logged. */
  private Future<Void> send(String state) {
    if (path == null) {
      return transport.acceptors().next().newSucceededFuture(null);
    }
    // Each on a socket of its own: the other side may have been started anew.
    String name = path.startsWith("@") ? "\0" + path.substring(1) : path;
    ChannelFuture connected =
        new Bootstrap()
            .group(transport.acceptors())
            .channel(EpollDomainDatagramChannel.class)
            .handler(new ChannelInboundHandlerAdapter())
            .connect(new DomainSocketAddress(name));
    Channel channel = connected.channel();
    connected.addListener(
        done -> {
          if (!done.isSuccess()) {
            failed(done.cause());
            return;
          }
          channel
              .writeAndFlush(Unpooled.copiedBuffer(state, StandardCharsets.US_ASCII))
              .addListener(
                  (ChannelFutureListener)
                      sent -> {
                        if (!sent.isSuccess()) {
                          failed(sent.cause());
                        }
                        channel.close();
                      });
        });
    return channel.closeFuture();
  }

  private void failed(Throwable cause) {
    if (!isFailureTold) {
      isFailureTold = true;
      // Netty's has no text.
      String reason = cause instanceof FileNotFoundException ? "no such file" : Reasons.of(cause);
      LOG.warn("NOTIFY_SOCKET {} cannot be told: {}", path, reason);
    }
  }
}
