package io.holdfast.broker.queue;

import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.limits.OutputBudget;
import io.holdfast.broker.wire.ClientOutput;
import io.holdfast.broker.wire.ClientSettings;
import io.holdfast.broker.wire.ClientV2;
import io.holdfast.broker.wire.HexId;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * A consumer without a socket: the real client and messagePump, on an event loop that runs when
 * told. One thread.
 */
final class SimulatedClient {
  private static final int TYPE_MESSAGE = 2;

  /** A message frame. */
  record Delivery(long id, int attempts, long timestampNs, String body) {}

  private final EmbeddedChannel conn =
      new EmbeddedChannel(
          new ChannelInboundHandlerAdapter() {
            @Override
            public void channelWritabilityChanged(ChannelHandlerContext ctx) {
              if (ctx.channel().isWritable()) {
                client.wake();
              }
            }
          });
  final ClientV2 client;
  final ClientOutput output;
  final long msgTimeoutMs;

  // What the model knows of it.
  final String name;
  final TreeSet<Long> inFlight = new TreeSet<>();
  long ready;
  boolean closing;
  boolean stalled;

  /**
   * @param sampleRate percentage of the messages it wants, 0 for all
   */
  SimulatedClient(String name, long msgTimeoutMs, int sampleRate) {
    this.name = name;
    this.msgTimeoutMs = msgTimeoutMs;
    var ctx = conn.pipeline().firstContext();
    ClientSettings settings =
        new ClientSettings(name, "sim", "", "", "", 30_000, 16384, 250, sampleRate, msgTimeoutMs);
    output = new ClientOutput(ctx, new OutputBudget(Long.MAX_VALUE));
    client =
        new ClientV2(
            ctx,
            output,
            settings,
            new ConnectionMemory(MemoryBudget.ofThisJvm(0, 0).connections()));
    conn.freezeTime();
  }

  /** Whether the model expects it to take more. */
  boolean hasRoom() {
    return !closing && !stalled && ready > inFlight.size();
  }

  /** Runs what waits in the event loop. */
  void runTasks() {
    // First what is due: it may wake the client.
    conn.runScheduledPendingTasks();
    conn.runPendingTasks();
  }

  /** Time passes for the event loop; what is due then runs with its tasks. */
  void pass(long ms) {
    conn.advanceTimeBy(ms, TimeUnit.MILLISECONDS);
  }

  /** The messages that were sent since the last call; runs nothing. */
  List<Delivery> sent() {
    ByteBuf out = conn.readOutbound();
    if (out == null) {
      return List.of();
    }
    List<Delivery> deliveries = new ArrayList<>();
    for (; out != null; out = conn.readOutbound()) {
      while (out.isReadable()) {
        int size = out.readInt();
        int type = out.readInt();
        ByteBuf data = out.readSlice(size - Integer.BYTES);
        if (type == TYPE_MESSAGE) {
          long timestampNs = data.readLong();
          int attempts = data.readUnsignedShort();
          long id = HexId.parse(data, data.readerIndex());
          data.skipBytes(HexId.BYTES);
          String body = data.toString(StandardCharsets.US_ASCII);
          deliveries.add(new Delivery(id, attempts, timestampNs, body));
        }
      }
      out.release();
    }
    return deliveries;
  }

  /** The end of a socket read: as the protocol does. */
  void readComplete() {
    client.pump();
    output.flush();
  }

  /** The peer stops, or goes on, to read what it is sent. */
  void stall(boolean on) {
    stalled = on;
    conn.unsafe().outboundBuffer().setUserDefinedWritability(1, !on);
  }

  boolean isOpen() {
    return conn.isOpen();
  }

  /** As the connection does when it ends. */
  void leave(Channel channel) {
    client.startClose();
    channel.removeClient(client);
    output.release();
    conn.runPendingTasks();
    // Not conn.close(), which cancels what is scheduled: an event loop outlives its connections.
    conn.pipeline().close();
    conn.checkException();
    conn.releaseOutbound();
  }
}
