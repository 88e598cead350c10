package io.holdfast.tools.tail;

import io.holdfast.tools.cli.CheckedOutput;
import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.CommandBuffer;
import io.holdfast.tools.client.ConnectOptions;
import io.holdfast.tools.client.NsqConnection;
import io.holdfast.tools.client.NsqErrorException;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the channel on one broker, on its own thread, and connects again when the connection
 * breaks. Messages are printed, the output flushed, and only then finished; what comes after the
 * limit or the stop is requeued.
 */
final class Follower implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(Follower.class);

  private static final long RECONNECT_MS = 500;
  private static final long MAX_RECONNECT_MS = 5_000;

  /** Longest wait for a broker to answer CLS. */
  private static final int CLOSE_MS = 2_000;

  private final BrokerAddress address;
  private final String topic;
  private final String channel;
  private final int rdy;
  private final ConnectOptions options;
  private final MessagePrinter printer;
  private final StopSignal stop;

  /** What was there before; null when only new messages are wanted. */
  private final PastMessages past;

  // Of the follower's thread: what was printed but not flushed. Not in the connection's buffer,
  // which leaves with any heartbeat.
  private final CommandBuffer fins = new CommandBuffer(4096);

  // Written by the follower's thread, read by others.
  private volatile NsqConnection connection;
  private volatile String failure;
  private volatile boolean connectedOnce;

  Follower(
      BrokerAddress address,
      String topic,
      String channel,
      int rdy,
      ConnectOptions options,
      MessagePrinter printer,
      StopSignal stop,
      PastMessages past) {
    this.address = address;
    this.topic = topic;
    this.channel = channel;
    this.rdy = rdy;
    this.options = options;
    this.printer = printer;
    this.stop = stop;
    this.past = past;
  }

  /**
   * @return why this follower ended for good; null while it runs or after a stop
   */
  String failure() {
    return failure;
  }

  /** Runs until stopped, refused, or until the first connection fails. */
  @Override
  public void run() {
    stop.onStop(this::startClose);
    long backoffMs = RECONNECT_MS;
    while (!stop.stopped()) {
      long startNs = System.nanoTime();
      try {
        followOnce();
      } catch (CheckedOutput.Failure e) { // The command's thread meets it again, and tells.
        stop.stop();
        return;
      } catch (ToolException e) {
        failure = e.getMessage();
        return;
      } catch (IOException e) {
        if (!connectedOnce) {
          failure = address + ": " + ToolException.describe(e);
          return;
        }
        if (!stop.stopped()) {
          log.warn("{}: {}; connecting again", address, ToolException.describe(e));
        }
      }
      boolean lasted = System.nanoTime() - startNs > MAX_RECONNECT_MS * 1_000_000;
      backoffMs = lasted ? RECONNECT_MS : Math.min(MAX_RECONNECT_MS, backoffMs * 2);
      stop.await(backoffMs);
    }
  }

  private void followOnce() throws IOException {
    fins.clear();
    if (past != null) {
      past.print(printer, stop); // A connection that nobody reads meanwhile would be closed.
    }
    try (NsqConnection conn = NsqConnection.open(address, options)) {
      if (options.looks() && !conn.features().keepsBacklog()) {
        throw new IOException(
            "this broker would give the backlog of a topic without channels to tail, and lose it "
                + "with tail's channel; to do so, name one: --channel tail#ephemeral");
      }
      conn.subscribe(topic, channel);
      if (past != null) {
        past.print(printer, stop); // From here on the channel has it, too.
      }
      connectedOnce = true;
      connection = conn;
      int ready = (int) Math.min(rdy, printer.remaining());
      if (ready == 0) {
        stop.stop();
        return;
      }
      conn.ready(ready);
      if (stop.stopped()) {
        conn.startClose(CLOSE_MS);
      }
      while (true) {
        switch (conn.readFrame()) {
          case MESSAGE -> onMessage(conn);
          case ERROR -> onError(new NsqErrorException(conn.text()));
          case RESPONSE -> {
            if (conn.isCloseWait()) {
              flush(conn);
              return;
            }
          }
        }
      }
    } finally {
      connection = null;
    }
  }

  /** A late FIN is not fatal: the message comes again. */
  private void onError(NsqErrorException error) throws NsqErrorException {
    if (!error.code().endsWith("_FAILED")) {
      throw error;
    }
    log.warn("{}: {}", address, error.getMessage());
  }

  private void onMessage(NsqConnection conn) throws IOException {
    boolean isOld = past != null && !past.isNew(conn.messageId(), conn.messageTimestampNs());
    boolean wanted = isOld || (!stop.stopped() && printer.print(conn));
    if (!wanted) {
      conn.requeue(0);
    } else {
      fins.fin(conn.buffer(), conn.messageIdOffset());
    }
    if (printer.remaining() == 0) {
      flush(conn);
      stop.stop();
    } else if (!conn.frameBuffered()) {
      flush(conn);
    }
  }

  private void flush(NsqConnection conn) throws IOException {
    printer.flush();
    conn.send(fins);
  }

  private void startClose() {
    NsqConnection conn = connection;
    if (conn != null) {
      try {
        conn.startClose(CLOSE_MS);
      } catch (IOException e) {
        log.debug("CLS to {}", address, e);
      }
    }
  }
}
