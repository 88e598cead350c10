package io.holdfast.broker.http;

import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.cluster.ClusterLife;
import io.holdfast.broker.cluster.LifeAnswer;
import io.holdfast.broker.core.BrokerCluster;
import io.holdfast.broker.net.HostPort;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * /cluster: how the cluster stands as seen from this node, and what an operator has it do.
 * Stateless.
 */
final class ClusterHandler {
  private final BrokerCluster cluster;

  ClusterHandler(BrokerCluster cluster) {
    this.cluster = cluster;
  }

  /** What a command does. */
  private interface Command {
    CompletableFuture<LifeAnswer> of(ClusterLife life, QueryParams params) throws HttpError;
  }

  void addRoutes(HttpApi.Routes to) {
    to.add(Right.READ, "GET", "/cluster", RequestHandler.immediate(this::cluster), "topic");
    to.add(
        Right.ADMIN,
        "POST",
        "/cluster/drain",
        asking((life, params) -> life.drain(node(params))),
        "node");
    to.add(
        Right.ADMIN,
        "POST",
        "/cluster/undrain",
        asking((life, params) -> life.undrain(node(params))),
        "node");
    to.add(
        Right.ADMIN,
        "POST",
        "/cluster/replace",
        asking((life, params) -> life.replace(node(params), address(params))),
        "node",
        "address");
    to.add(
        Right.ADMIN,
        "POST",
        "/cluster/force-alone",
        asking((life, params) -> life.forceAlone(required(params, "uuid"))),
        "uuid");
    to.add(
        Right.ADMIN,
        "POST",
        "/cluster/snapshot",
        asking((life, params) -> life.snapshot(group(params))),
        "group");
  }

  private RequestHandler asking(Command command) {
    return (request, reply) -> answer(command.of(cluster.life(), request.params()), reply);
  }

  private static void answer(CompletableFuture<LifeAnswer> asked, Consumer<HttpReply> reply) {
    asked.whenComplete(
        (answer, failure) -> {
          if (failure != null) {
            reply.accept(HttpReply.error(HttpError.exiting()));
          } else if (answer.message().isEmpty()) {
            reply.accept(HttpReply.status(answer.status()));
          } else {
            reply.accept(HttpReply.error(answer.status(), answer.message()));
          }
        });
  }

  private static String node(QueryParams params) throws HttpError {
    return required(params, "node");
  }

  private static String required(QueryParams params, String name) throws HttpError {
    String value = params.get(name);
    if (value == null || value.isEmpty()) {
      throw HttpError.badRequest("MISSING_ARG_" + name.toUpperCase(Locale.ROOT));
    }
    return value;
  }

  private static HostPort address(QueryParams params) throws HttpError {
    String address = params.get("address");
    try {
      return address == null ? null : HostPort.parse(address);
    } catch (IllegalArgumentException e) {
      throw HttpError.badRequest("INVALID_ARG_ADDRESS");
    }
  }

  private static Integer group(QueryParams params) throws HttpError {
    String group = params.get("group");
    if (group == null) {
      return null;
    }
    if (!group.matches("[0-9]{1,4}")) {
      throw HttpError.badRequest("INVALID_ARG_GROUP");
    }
    return Integer.valueOf(group);
  }

  /** GET /cluster. */
  private HttpReply cluster(ApiRequest request) throws HttpError {
    QueryParams params = request.params();
    String topic = params.get("topic") == null ? null : AdminHandler.requireTopicName(params);
    return HttpReply.json(cluster.view(topic));
  }
}
