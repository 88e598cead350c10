package io.holdfast.broker.http;

import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.cluster.admin.TopicAnswer;
import io.holdfast.broker.cluster.admin.TopicRequest;
import io.holdfast.broker.core.BrokerCluster;
import io.holdfast.broker.queue.Names;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has what is asked of a shared topic answered by the node that leads it, and answers what other
 * nodes ask of those led here. Of a broker of no cluster it changes nothing. Thread-safe once all
 * routes are there.
 */
final class AtLeader {
  private static final Logger LOG = LoggerFactory.getLogger(AtLeader.class);

  private final BrokerCluster cluster;
  private final Guarded guarded;
  private final Workers workers;

  /** By method and path. */
  private final Map<String, Led> routes = new HashMap<>();

  /** A route, as it is answered by the leader. */
  private record Led(
      Right right, String method, String path, Set<String> parameters, RequestHandler handler) {}

  /**
   * @param cluster null for none
   * @param guarded keeps the audit trail
   */
  AtLeader(BrokerCluster cluster, Guarded guarded, Workers workers) {
    this.cluster = cluster;
    this.guarded = guarded;
    this.workers = workers;
  }

  /** Answers other nodes from now on: all routes are there. */
  void serve() {
    if (cluster != null) {
      cluster.requests().serve(this::answer);
    }
  }

  /**
   * The handler of a route for all nodes.
   *
   * @param handler that of the leader, or of a topic that is nobody else's
   */
  RequestHandler handler(
      Right right, String method, String path, Set<String> parameters, RequestHandler handler) {
    if (cluster == null) {
      return handler;
    }
    String action = method + ' ' + path;
    routes.put(action, new Led(right, method, path, parameters, handler));
    return (request, reply) -> {
      TopicRequest asked = sharedOrNull(action, request);
      if (asked == null) {
        handler.handle(request, reply);
      } else {
        cluster.requests().ask(asked, answer -> pass(request, answer, reply));
      }
    };
  }

  /** What is to be asked of the leader; null for what is answered here. */
  private TopicRequest sharedOrNull(String action, ApiRequest request) throws HttpError {
    QueryParams params = QueryParams.parse(request.rawQuery());
    String topic = params.get("topic");
    if (topic == null || !Names.isValid(topic) || !cluster.shares(topic)) {
      return null;
    }
    Caller caller = request.caller();
    boolean hasBody = request.body() != null && !request.bodyTooBig();
    return new TopicRequest(
        topic,
        params.get("channel"),
        action,
        request.rawQuery(),
        hasBody ? ByteBufUtil.getBytes(request.body()) : null,
        request.bodyTooBig(),
        new TopicRequest.Asker(caller.user(), caller.role(), caller.remote()));
  }

  private void pass(ApiRequest request, TopicAnswer answer, Consumer<HttpReply> reply) {
    HttpReply passed =
        new HttpReply(answer.status(), answer.contentType(), answer.body(), true, Map.of());
    if (answer.body().length < Gzip.LARGE_BYTES) {
      reply.accept(passed);
      return;
    }
    try {
      workers.run(request, () -> Gzip.ifLarge(request, passed), reply);
    } catch (HttpError e) {
      reply.accept(HttpReply.error(e));
    }
  }

  // ---------------------------------------------------------------- for all nodes

  /** Answers for a topic that is led here. */
  private void answer(String node, TopicRequest asked, Consumer<TopicAnswer> told) {
    Led route = routes.get(asked.action());
    if (route == null) {
      told.accept(answer(HttpReply.error(404, "NOT_FOUND")));
      return;
    }
    boolean isOwn = node.equals(cluster.node());
    TopicRequest.Asker asker = asked.asker();
    ByteBuf body = asked.body() == null ? null : Unpooled.wrappedBuffer(asked.body());
    ApiRequest request =
        new ApiRequest(
            route.method(),
            route.path(),
            null,
            route.parameters(),
            asked.query(),
            body,
            asked.isBodyTooBig(),
            EmptyHttpHeaders.INSTANCE,
            Peer.NONE,
            new Caller(asker.user(), asker.role(), asker.remote(), isOwn ? null : node));
    Consumer<HttpReply> reply = given -> told.accept(answer(given));
    try {
      if (isOwn) {
        // Where it was asked it is in the audit trail already.
        route.handler().handle(request, reply);
      } else {
        guarded.allowed(route.right(), request, route.handler(), reply);
      }
    } catch (HttpError e) {
      reply.accept(HttpReply.error(e));
    } catch (RuntimeException e) {
      LOG.error("{} of {} for {} failed", asked.action(), asked.topic(), node, e);
      reply.accept(HttpReply.error(500, "INTERNAL_ERROR"));
    }
  }

  private static TopicAnswer answer(HttpReply reply) {
    return new TopicAnswer(reply.status(), reply.contentType(), reply.body(), reply.isUndone());
  }
}
