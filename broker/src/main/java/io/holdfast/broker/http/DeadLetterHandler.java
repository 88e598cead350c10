package io.holdfast.broker.http;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.queue.Channel;
import java.io.IOException;

/**
 * /channel/redrive and /channel/discard: how somebody ends dead letters. On disk when it is
 * answered. Stateless; block (disk).
 */
final class DeadLetterHandler {
  private final Broker broker;

  DeadLetterHandler(Broker broker) {
    this.broker = broker;
  }

  /** What becomes of them. */
  private interface End {
    /**
     * Ends dead letters.
     *
     * @param ids these; null for those that are longest dead
     * @param max at most so many
     * @return how many it were
     */
    int of(Channel channel, long[] ids, int max) throws IOException;
  }

  void addRoutes(HttpApi.Routes to, Workers workers) {
    RequestHandler redrive = workers.blocking(request -> end(request, Channel::redrive));
    RequestHandler discard = workers.blocking(request -> end(request, Channel::discard));
    String[] parameters = {"topic", "channel", "id", "n"};
    to.addOfTopic(Right.ADMIN, "POST", "/channel/redrive", redrive, parameters);
    to.addOfTopic(Right.ADMIN, "POST", "/channel/discard", discard, parameters);
  }

  private HttpReply end(ApiRequest request, End end) throws HttpError, IOException {
    QueryParams params = request.params();
    Channel channel = AdminHandler.requireChannel(broker, params);
    String id = params.get("id");
    if (id == null) {
      int max = params.number("n", Integer.MAX_VALUE, 1, Integer.MAX_VALUE, "INVALID_ARG_N");
      return HttpReply.json(new Count(end.of(channel, null, max)));
    }
    if (params.get("n") != null || !MessagePosition.isId(id)) {
      throw HttpError.badRequest("INVALID_ARG_ID");
    }
    int count = end.of(channel, new long[] {Long.parseUnsignedLong(id, 16)}, 1);
    if (count == 0) {
      throw HttpError.notFound("MESSAGE_NOT_FOUND");
    }
    return HttpReply.json(new Count(count));
  }

  private record Count(@JsonProperty("count") int count) {}
}
