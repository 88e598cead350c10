package io.holdfast.broker.http;

import io.holdfast.broker.core.Broker;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Names;
import io.holdfast.broker.queue.NoLeaderException;
import io.holdfast.broker.queue.Position;
import io.holdfast.broker.queue.RefusedException;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.UnknownMessageException;
import io.holdfast.storage.topic.DirNames;
import java.io.IOException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * /topic/* and /channel/*: create, delete, empty, pause, unpause. Every method but one blocks
 * (directories, metadata) and runs on a worker; creating a topic may wait long for nsqlookupds.
 * Which arguments are checked, in which order and with which code differs between the endpoints as
 * it does in nsqd (contract §5). Stateless.
 */
final class AdminHandler {
  private static final Logger LOG = LoggerFactory.getLogger(AdminHandler.class);

  private final Broker broker;

  AdminHandler(Broker broker) {
    this.broker = broker;
  }

  /** What an endpoint does to a topic. */
  interface TopicAction {
    /** Does it; blocks. */
    void on(Topic topic) throws IOException;
  }

  /** What an endpoint does to a channel. */
  interface ChannelAction {
    /** Does it; blocks. */
    void on(Channel channel) throws IOException;
  }

  /** A topic and a channel name, both valid. */
  record TopicChannel(String topic, String channel) {}

  /** POST /topic/create. */
  void createTopic(ApiRequest request, Consumer<HttpReply> reply) throws HttpError {
    String name = requireTopicName(request.params());
    broker
        .topicLater(name)
        .whenComplete(
            (created, failure) ->
                reply.accept(
                    failure == null
                        ? HttpReply.empty()
                        : HttpReply.error(
                            refused("TOPIC(" + name + ")", BrokerException.of(failure)))));
  }

  /** POST /topic/empty: alone among the endpoints on existing topics it checks the name. */
  HttpReply emptyTopic(ApiRequest request) throws HttpError, IOException {
    requireTopic(requireTopicName(request.params())).empty();
    return HttpReply.empty();
  }

  /** POST /topic/delete. */
  HttpReply deleteTopic(ApiRequest request) throws HttpError, IOException {
    String name = requireTopicArgument(request.params());
    if (!broker.deleteTopic(name)) {
      throw HttpError.notFound("TOPIC_NOT_FOUND");
    }
    return HttpReply.empty();
  }

  /** Makes the handler of an endpoint on an existing topic, such as POST /topic/pause. */
  RequestHandler.Blocking onTopic(TopicAction action) {
    return request -> {
      action.on(requireTopic(requireTopicArgument(request.params())));
      return HttpReply.empty();
    };
  }

  /** POST /channel/create, perhaps from a place on; the topic must exist. */
  HttpReply createChannel(ApiRequest request) throws HttpError, IOException {
    QueryParams params = request.params();
    TopicChannel names = requireNames(params);
    Topic topic = requireTopic(names.topic());
    Position from = MessagePosition.parse(params.get("from"), null, "INVALID_ARG_FROM");
    try {
      if (from == null) {
        topic.channel(names.channel());
      } else {
        RewindHandler.requireLasting(DirNames.isEphemeral(names.channel()));
        topic.channel(names.channel(), from);
      }
    } catch (UnknownMessageException e) {
      throw RewindHandler.refused(names.topic(), names.channel(), e);
    } catch (BrokerException e) {
      throw refused("TOPIC(" + names.topic() + ") CHANNEL(" + names.channel() + ")", e);
    }
    return HttpReply.empty();
  }

  /** POST /channel/delete. */
  HttpReply deleteChannel(ApiRequest request) throws HttpError, IOException {
    TopicChannel names = requireNames(request.params());
    if (!requireTopic(names.topic()).deleteChannel(names.channel())) {
      throw HttpError.notFound("CHANNEL_NOT_FOUND");
    }
    return HttpReply.empty();
  }

  /** Makes the handler of an endpoint on an existing channel, such as POST /channel/pause. */
  RequestHandler.Blocking onChannel(ChannelAction action) {
    return request -> {
      action.on(requireChannel(broker, request.params()));
      return HttpReply.empty();
    };
  }

  /** Returns the argument {@code topic}, any text; else 400 {@code MISSING_ARG_TOPIC}. */
  static String requireTopicArgument(QueryParams params) throws HttpError {
    String name = params.get("topic");
    if (name == null) {
      throw HttpError.badRequest("MISSING_ARG_TOPIC");
    }
    return name;
  }

  /** Returns the argument {@code topic}, a valid name; else 400 with one of two codes. */
  static String requireTopicName(QueryParams params) throws HttpError {
    String name = requireTopicArgument(params);
    if (!Names.isValid(name)) {
      throw HttpError.badRequest("INVALID_TOPIC");
    }
    return name;
  }

  /** Returns both names of a /channel/* request, valid; else 400 with one of four codes. */
  static TopicChannel requireNames(QueryParams params) throws HttpError {
    String topic = requireTopicArgument(params);
    if (!Names.isValid(topic)) {
      throw HttpError.badRequest("INVALID_ARG_TOPIC");
    }
    String channel = params.get("channel");
    if (channel == null) {
      throw HttpError.badRequest("MISSING_ARG_CHANNEL");
    }
    if (!Names.isValid(channel)) {
      throw HttpError.badRequest("INVALID_ARG_CHANNEL");
    }
    return new TopicChannel(topic, channel);
  }

  private Topic requireTopic(String name) throws HttpError {
    return requireTopic(broker, name);
  }

  /** Returns the topic of this name; else 404 {@code TOPIC_NOT_FOUND}. */
  static Topic requireTopic(Broker broker, String name) throws HttpError {
    Topic topic = broker.existingTopic(name);
    if (topic == null) {
      throw HttpError.notFound("TOPIC_NOT_FOUND");
    }
    return topic;
  }

  /** Returns the channel that a /channel/* request names; else 400 or 404. */
  static Channel requireChannel(Broker broker, QueryParams params) throws HttpError {
    TopicChannel names = requireNames(params);
    Channel channel = requireTopic(broker, names.topic()).existingChannel(names.channel());
    if (channel == null) {
      throw HttpError.notFound("CHANNEL_NOT_FOUND");
    }
    return channel;
  }

  /** nsqd cannot fail here; its code for "not now" serves, unless the disk is the reason. */
  private static HttpError refused(String what, BrokerException cause) {
    if (!(cause instanceof RefusedException || cause instanceof NoLeaderException)) {
      LOG.warn("{} not created: {}", what, cause.getMessage());
    }
    return HttpError.failed(cause);
  }
}
