package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.rpc.RaftRpcFactory;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.SPI;

/**
 * JRaft's way to its transport: it looks for this class by name, in {@code META-INF/services}, and
 * one for all groups of the process. So it knows none of them: a client learns whose it is when it
 * is initialised.
 */
@SPI(name = "holdfast", priority = 10)
public final class JraftRpcFactory implements RaftRpcFactory {
  /** For the service loader. */
  public JraftRpcFactory() {}

  @Override
  public void registerProtobufSerializer(String className, Object... args) {
    // JraftMessages has those that are allowed.
  }

  @Override
  public RpcClient createRpcClient(ConfigHelper<RpcClient> helper) {
    return new JraftClient();
  }

  /** Never: requests come in by {@link JraftLink}. */
  @Override
  public RpcServer createRpcServer(Endpoint endpoint, ConfigHelper<RpcServer> helper) {
    throw new UnsupportedOperationException("requests come in by the connections between nodes");
  }
}
