package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.ReplicatorGroup;
import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.option.RpcOptions;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.InvokeContext;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.util.Endpoint;
import com.google.protobuf.Message;
import io.holdfast.broker.cluster.peers.PeerException;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;

/**
 * What a group's node asks its peers, over {@link JraftLink}. Never blocks. Thread-safe once it is
 * initialised.
 */
final class JraftClient implements RpcClient {
  private JraftOptions options;
  private ReplicatorGroup replicators;

  @Override
  public boolean init(RpcOptions given) {
    options = (JraftOptions) given;
    if (replicators != null) {
      options.link().onReachable(options.group(), replicators);
    }
    return true;
  }

  @Override
  public void shutdown() {
    // Nothing here is this group's alone.
  }

  @Override
  public boolean checkConnection(Endpoint endpoint) {
    return options.link().isReachable(endpoint);
  }

  /** Connections are made without being asked for. */
  @Override
  public boolean checkConnection(Endpoint endpoint, boolean createIfAbsent) {
    return checkConnection(endpoint);
  }

  @Override
  public void closeConnection(Endpoint endpoint) {
    // It is not this group's alone.
  }

  /** Comes before {@link #init}. */
  @Override
  public void registerConnectEventListener(ReplicatorGroup itsReplicators) {
    replicators = itsReplicators;
  }

  /** Only for JRaft's ping, which asks whether there is a connection: it knows already. */
  @Override
  public Object invokeSync(Endpoint endpoint, Object request, InvokeContext context, long timeoutMs)
      throws RemotingException {
    throw new RemotingException(endpoint + " is not reachable");
  }

  @Override
  public void invokeAsync(
      Endpoint endpoint,
      Object request,
      InvokeContext context,
      InvokeCallback callback,
      long timeoutMs)
      throws RemotingException {
    if (request instanceof RequestVoteRequest && !options.votes().mayVote()) {
      throw new RemotingException("this node does not stand for election");
    }
    ByteBuf encoded = JraftMessages.encode(options.group(), (Message) request);
    options
        .link()
        .request(endpoint, encoded, Duration.ofMillis(timeoutMs))
        .whenComplete((response, failure) -> answered(endpoint, response, failure, callback));
  }

  /** On an event loop. */
  private void answered(
      Endpoint endpoint, ByteBuf response, Throwable failure, InvokeCallback callback) {
    Message message = null;
    Throwable error = failure == null ? null : error(failure);
    if (response != null) {
      try {
        message = JraftMessages.decode(response);
        if (message instanceof AppendEntriesResponse appended) {
          options.progress().answered(endpoint, appended);
        }
      } catch (IOException e) {
        error = new RemotingException(e.getMessage(), e);
      } finally {
        response.release();
      }
    }
    Message told = message;
    Throwable why = error;
    Executor executor = callback.executor();
    executor.execute(() -> callback.complete(told, why));
  }

  private static Throwable error(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    boolean isLate =
        cause instanceof PeerException peer && peer.kind() == PeerException.Kind.TIMEOUT;
    return isLate
        ? new InvokeTimeoutException(cause.getMessage(), null, false, false)
        : new RemotingException(cause.getMessage(), null, false, false);
  }
}
