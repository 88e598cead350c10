package io.holdfast.broker.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.policy.BadPolicyException;
import io.holdfast.broker.policy.PolicyBook.Shown;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Names;
import io.holdfast.broker.queue.Topic;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.util.Map;

/** /topic/policy and /channel/policy: show what is in force, set it by hand. Block (disk). */
final class PolicyHandler {
  private static final int MAX_BODY_BYTES = 64 << 10;

  private final Broker broker;

  /** One change after the other: each begins with what the former one left. */
  private final Object changing = new Object();

  PolicyHandler(Broker broker) {
    this.broker = broker;
  }

  void addRoutes(HttpApi.Routes to, Workers workers) {
    Router.BodyLimit limit =
        BodyLimits.collect(() -> MAX_BODY_BYTES, HttpReply.error(413, "BODY_TOO_BIG"));
    String[] topic = {"topic"};
    String[] both = {"topic", "channel"};
    to.addOfTopic(Right.READ, "GET", "/topic/policy", workers.blocking(this::topic), topic);
    to.addOfTopic(
        Right.ADMIN, "POST", "/topic/policy", limit, workers.blocking(this::setTopic), topic);
    to.addOfTopic(Right.READ, "GET", "/channel/policy", workers.blocking(this::channel), both);
    to.addOfTopic(
        Right.ADMIN, "POST", "/channel/policy", limit, workers.blocking(this::setChannel), both);
  }

  private HttpReply topic(ApiRequest request) throws HttpError {
    return shown(requireTopic(request.params()));
  }

  private HttpReply channel(ApiRequest request) throws HttpError {
    return shown(AdminHandler.requireChannel(broker, request.params()));
  }

  private HttpReply setTopic(ApiRequest request) throws HttpError, IOException {
    Topic topic = requireTopic(request.params());
    JsonNode change = body(request);
    synchronized (changing) {
      Map<String, String> changed;
      try {
        changed = broker.policies().changedTopic(topic.handPolicy(), change);
      } catch (BadPolicyException e) {
        throw invalid(e);
      }
      topic.setHandPolicy(changed);
      broker.policiesChanged();
      return shown(topic);
    }
  }

  private HttpReply setChannel(ApiRequest request) throws HttpError, IOException {
    Channel channel = AdminHandler.requireChannel(broker, request.params());
    JsonNode change = body(request);
    synchronized (changing) {
      Map<String, String> changed;
      try {
        changed =
            broker.policies().changedChannel(channel.topicName(), channel.handPolicy(), change);
      } catch (BadPolicyException e) {
        throw invalid(e);
      }
      channel.setHandPolicy(changed);
      broker.policiesChanged();
      return shown(channel);
    }
  }

  private HttpReply shown(Topic topic) {
    return HttpReply.json(
        new Policy(
            topic.name(), null, broker.policies().shownTopic(topic.name(), topic.handPolicy())));
  }

  private HttpReply shown(Channel channel) {
    return HttpReply.json(
        new Policy(
            channel.topicName(),
            channel.name(),
            broker
                .policies()
                .shownChannel(channel.topicName(), channel.name(), channel.handPolicy())));
  }

  private Topic requireTopic(QueryParams params) throws HttpError {
    String name = AdminHandler.requireTopicArgument(params);
    if (!Names.isValid(name)) {
      throw HttpError.badRequest("INVALID_ARG_TOPIC");
    }
    return AdminHandler.requireTopic(broker, name);
  }

  /** The body's JSON, null for none. */
  private static JsonNode body(ApiRequest request) throws HttpError {
    if (request.bodyTooBig()) {
      throw HttpError.tooLarge("BODY_TOO_BIG");
    }
    return JsonText.readOrNull(ByteBufUtil.getBytes(request.body()));
  }

  private static HttpError invalid(BadPolicyException e) {
    return HttpError.badRequest("INVALID_POLICY " + e.getMessage());
  }

  @JsonInclude(JsonInclude.Include.NON_NULL)
  private record Policy(
      @JsonProperty("topic") String topic,
      @JsonProperty("channel") String channel,
      @JsonProperty("policy") Map<String, Shown> policy) {}
}
