package io.holdfast.broker.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;

/**
 * The handlers of a new TCP connection: the protocol alone. After IDENTIFY it puts in front of
 * itself what was agreed, so that the whole list is: {@code tls, compress, decompress, protocol}.
 */
final class PipelineInitializer extends ChannelInitializer<Channel> {
  private final ConnectionServices services;
  private final ConnectionLimit connections;

  PipelineInitializer(ConnectionServices services, ConnectionLimit connections) {
    this.services = services;
    this.connections = connections;
  }

  @Override
  protected void initChannel(Channel conn) {
    if (!connections.admit(conn)) {
      conn.close();
      return;
    }
    conn.pipeline().addLast("protocol", new ProtocolV2Decoder(new Connection(services)));
  }
}
