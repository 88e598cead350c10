package io.holdfast.broker.channel;

import io.holdfast.broker.client.ClientOutput;
import io.holdfast.broker.client.ClientSettings;
import io.holdfast.broker.client.ClientV2;
import io.holdfast.broker.memory.OutputBudget;
import io.holdfast.broker.topic.GuidFactory;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A consumer without a socket: real client and messagePump, an event loop that runs when told. */
final class SimulatedClient {
  private static final int TYPE_MESSAGE = 2;

  /** A message frame. */
  record Delivery(long id, int attempts, long timestampNs, String body) {}

  final EmbeddedChannel conn =
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
  final long msgTimeoutMs;

  SimulatedClient(long msgTimeoutMs) {
    this.msgTimeoutMs = msgTimeoutMs;
    var ctx = conn.pipeline().firstContext();
    ClientSettings settings =
        new ClientSettings("sim", "sim", "", "", "", 30_000, 16384, 250, 0, msgTimeoutMs);
    client = new ClientV2(ctx, new ClientOutput(ctx, new OutputBudget(Long.MAX_VALUE)), settings);
  }

  /** Runs what is waiting in the event loop; returns the messages that were sent. */
  List<Delivery> run() {
    conn.runPendingTasks();
    List<Delivery> deliveries = new ArrayList<>();
    for (ByteBuf out = conn.readOutbound(); out != null; out = conn.readOutbound()) {
      while (out.isReadable()) {
        int size = out.readInt();
        int type = out.readInt();
        ByteBuf data = out.readSlice(size - Integer.BYTES);
        if (type == TYPE_MESSAGE) {
          long timestampNs = data.readLong();
          int attempts = data.readUnsignedShort();
          long id = GuidFactory.parseHex(data, data.readerIndex());
          data.skipBytes(GuidFactory.ID_BYTES);
          String body = data.toString(StandardCharsets.UTF_8);
          deliveries.add(new Delivery(id, attempts, timestampNs, body));
        }
      }
      out.release();
    }
    return deliveries;
  }

  /** As the connection does when it ends. */
  void leave(Channel channel) {
    client.startClose();
    channel.removeClient(client);
    run();
    conn.close();
  }
}
