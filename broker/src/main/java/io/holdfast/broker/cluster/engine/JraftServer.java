package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.rpc.Connection;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequestHeader;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.alipay.sofa.jraft.rpc.impl.core.AppendEntriesRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.GetFileRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.InstallSnapshotRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.RequestVoteRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.TimeoutNowRequestProcessor;
import com.google.protobuf.Message;
import io.holdfast.broker.cluster.peers.Reply;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * What a group's node is asked by its peers: hands each request to JRaft's processor for it. One
 * for each group, so that what is under way goes with the group. Called on event loops;
 * thread-safe.
 */
final class JraftServer {
  private final int group;
  private final BooleanSupplier mayVote;
  private final Consumer<String> installing;
  private final Executor executor;
  private final AppendEntriesRequestProcessor appending;
  private final Map<String, RpcProcessor<?>> processors = new TreeMap<>();
  private final Map<String, Connection> connections = new ConcurrentHashMap<>();

  /**
   * @param mayVote false while this node must not become a candidate when it is told to
   * @param installing told of each node that begins to send its snapshot
   * @param executor for all but appends, which have their own thread and order
   */
  JraftServer(int group, BooleanSupplier mayVote, Consumer<String> installing, Executor executor) {
    this.group = group;
    this.mayVote = mayVote;
    this.installing = installing;
    this.executor = executor;
    appending = new AppendEntriesRequestProcessor(executor);
    add(appending);
    add(new RequestVoteRequestProcessor(executor));
    add(new InstallSnapshotRequestProcessor(executor));
    add(new GetFileRequestProcessor(executor));
    add(new TimeoutNowRequestProcessor(executor));
  }

  private void add(RpcProcessor<?> processor) {
    processors.put(processor.interest(), processor);
  }

  /** Takes a request; it is answered from another thread. */
  void handle(String fromNode, ByteBuf payload, Reply reply) {
    Message request;
    try {
      request = JraftMessages.decode(payload);
    } catch (IOException e) {
      reply.refuse(e.getMessage());
      return;
    }
    RpcProcessor<?> processor = processors.get(request.getClass().getName());
    if (processor == null) {
      reply.refuse(request.getClass().getSimpleName() + " is no request");
      return;
    }
    if (!mayVote.getAsBoolean() && isAboutVotes(request)) {
      reply.refuse("this node has no vote yet: entries may be missing here");
      return;
    }
    if (request instanceof InstallSnapshotRequest) {
      installing.accept(fromNode);
    }
    try {
      executorFor(request).execute(() -> process(processor, fromNode, request, reply));
    } catch (RejectedExecutionException e) {
      reply.refuse("busy");
    }
  }

  private static boolean isAboutVotes(Message request) {
    return request instanceof RequestVoteRequest || request instanceof TimeoutNowRequest;
  }

  private Executor executorFor(Message request) {
    if (!(request instanceof AppendEntriesRequest appended)) {
      return executor;
    }
    AppendEntriesRequestHeader head =
        AppendEntriesRequestHeader.newBuilder()
            .setGroupId(appended.getGroupId())
            .setPeerId(appended.getPeerId())
            .setServerId(appended.getServerId())
            .build();
    return appending.executorSelector().select(appending.interest(), head);
  }

  @SuppressWarnings("unchecked") // By the name under which it is in the map.
  private void process(RpcProcessor<?> processor, String fromNode, Message request, Reply reply) {
    ((RpcProcessor<Message>) processor)
        .handleRequest(new Answering(fromNode, connectionOf(fromNode), reply), request);
  }

  private Connection connectionOf(String node) {
    return connections.computeIfAbsent(node, name -> new Attributes());
  }

  /** Nothing is waited for any more. */
  void close() {
    appending.destroy();
  }

  /** Where JRaft sends its answer. */
  private final class Answering implements RpcContext {
    private final String fromNode;
    private final Connection connection;
    private final Reply reply;

    Answering(String fromNode, Connection connection, Reply reply) {
      this.fromNode = fromNode;
      this.connection = connection;
      this.reply = reply;
    }

    @Override
    public void sendResponse(Object response) {
      reply.send(JraftMessages.encode(group, (Message) response));
    }

    @Override
    public Connection getConnection() {
      return connection;
    }

    @Override
    public String getRemoteAddress() {
      return fromNode;
    }
  }

  /** What JRaft notes with a peer. The connection itself is not its own. */
  private static final class Attributes implements Connection {
    private final Map<String, Object> attributes = new ConcurrentHashMap<>();

    @Override
    public Object getAttribute(String key) {
      return attributes.get(key);
    }

    @Override
    public void setAttribute(String key, Object value) {
      attributes.put(key, value);
    }

    @Override
    public Object setAttributeIfAbsent(String key, Object value) {
      return attributes.putIfAbsent(key, value);
    }

    @Override
    public void close() {
      // The requests that wait for an answer have their own time.
    }
  }
}
