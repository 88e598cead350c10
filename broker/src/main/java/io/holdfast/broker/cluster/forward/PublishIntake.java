package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.broker.cluster.state.Origin;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.PublishIdentity;
import io.holdfast.broker.queue.PublishListener;
import io.holdfast.broker.queue.SharedLogException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The leader's side: takes publishes of all nodes, this one included, in the term they are meant
 * for, each node's in their order and without a gap. Thread-safe.
 */
final class PublishIntake {
  private static final String NOT_LED = "";

  private final List<LedTopics> groups;
  private final PublishRefusals refusals;

  /** By group and node. */
  private final List<List<Inbox>> inboxes = new ArrayList<>();

  /**
   * @param groups by number
   * @param nodes how many there are
   */
  PublishIntake(List<LedTopics> groups, int nodes, PublishRefusals refusals) {
    this.groups = List.copyOf(groups);
    this.refusals = refusals;
    for (int group = 0; group < groups.size(); group++) {
      List<Inbox> ofGroup = new ArrayList<>();
      for (int node = 0; node < nodes; node++) {
        ofGroup.add(new Inbox(node, groups.get(group)));
      }
      inboxes.add(ofGroup);
    }
  }

  /**
   * Takes a request.
   *
   * @param node place of who asks in {@code cluster_nodes}
   * @param told once, any thread, perhaps before this returns
   */
  void handle(int node, ForwardRequest request, Consumer<ForwardAnswer> told) {
    boolean isOurs =
        request.group() >= 0
            && request.group() < groups.size()
            && (request.isClose()
                || GroupPlace.groupOf(request.topic(), groups.size()) == request.group());
    if (isOurs) {
      inboxes.get(request.group()).get(node).take(new Asked(request, told));
    } else {
      told.accept(ForwardAnswer.refused("topic " + request.topic() + " is of another group"));
    }
  }

  private record Asked(ForwardRequest request, Consumer<ForwardAnswer> told) {
    void answer(ForwardAnswer answer) {
      told.accept(answer);
    }
  }

  /**
   * What one node asks of one group. Once something of a stream was not taken, nothing more of it
   * is: whoever sends it begins another one, and nothing has overtaken anything.
   */
  private final class Inbox {
    private final int node;
    private final LedTopics led;
    private final Serial serial = new Serial();
    private final ArrayDeque<Asked> waiting = new ArrayDeque<>();
    private boolean isCreating;

    // The newest stream, and what it is to go on with.
    private long start;
    private long stream;
    private long next;
    private boolean isBroken;

    Inbox(int node, LedTopics led) {
      this.node = node;
      this.led = led;
    }

    void take(Asked asked) {
      serial.run(
          () -> {
            waiting.add(asked);
            goOn();
          });
    }

    private void goOn() {
      if (isCreating) {
        return;
      }
      Asked asked = waiting.poll();
      if (asked != null) {
        handle(asked);
        // What was refused meanwhile comes first.
        serial.run(this::goOn);
      }
    }

    private void handle(Asked asked) {
      ForwardRequest request = asked.request();
      if (request.start() < start || (request.start() == start && request.stream() < stream)) {
        asked.answer(ForwardAnswer.later(NOT_LED));
        return;
      }
      if (request.start() != start || request.stream() != stream) {
        start = request.start();
        stream = request.stream();
        next = 0;
        isBroken = false;
      }
      boolean isServing = led.isServing(request.term());
      if (request.isClose()) {
        isBroken = true;
        // After another term nobody here knows what was taken in it.
        asked.answer(isServing ? ForwardAnswer.closed(next) : ForwardAnswer.later(NOT_LED));
      } else if (isBroken || request.position() != next || !isServing) {
        notNow(asked, NOT_LED);
      } else {
        String refusal = refusals.refusal(request.section(), request.count());
        if (refusal != null) {
          refuse(asked, refusal);
        } else if (led.has(request.term(), request.topic())) {
          publish(asked);
        } else {
          create(asked);
        }
      }
    }

    private void notNow(Asked asked, String text) {
      isBroken = true;
      asked.answer(ForwardAnswer.later(text));
    }

    private void refuse(Asked asked, String text) {
      next++;
      asked.answer(ForwardAnswer.refused(text));
    }

    private void create(Asked asked) {
      isCreating = true;
      led.create(asked.request().term(), asked.request().topic())
          .whenComplete((nothing, failure) -> serial.run(() -> created(asked, failure)));
    }

    private void created(Asked asked, Throwable failure) {
      isCreating = false;
      if (isBroken) {
        asked.answer(ForwardAnswer.later(NOT_LED));
      } else if (failure == null) {
        publish(asked);
      } else if (failure instanceof BrokerException && !isOfTheLog(failure)) {
        refuse(asked, failure.getMessage());
      } else {
        notNow(asked, NOT_LED);
      }
      serial.run(this::goOn);
    }

    /** Whether the topic may yet be there: what became of the publish is known all the same. */
    private static boolean isOfTheLog(Throwable failure) {
      return failure.getCause() instanceof SharedLogException;
    }

    private void publish(Asked asked) {
      ForwardRequest request = asked.request();
      Origin origin = new Origin(node, request.start(), request.sequence());
      try {
        led.publish(
            request.term(),
            request.topic(),
            request.section(),
            request.count(),
            request.deferMs(),
            new Answering(asked, origin));
        next++;
      } catch (BrokerException e) {
        refuse(asked, e.getMessage());
      }
    }

    /** Answers what became of a publish. */
    private final class Answering implements PublishListener {
      private final Asked asked;
      private final Origin origin;

      Answering(Asked asked, Origin origin) {
        this.asked = asked;
        this.origin = origin;
      }

      @Override
      public PublishIdentity identity() {
        return origin;
      }

      @Override
      public void onDurable() {
        asked.answer(ForwardAnswer.stored());
      }

      @Override
      public void onFailed(String error) {
        asked.answer(ForwardAnswer.refused(error));
      }

      @Override
      public void onRefused(String error) {
        long of = asked.request().stream();
        serial.run(() -> isBroken |= of == stream);
        asked.answer(ForwardAnswer.later(error));
      }

      @Override
      public void onUnknown(String error) {
        asked.answer(ForwardAnswer.unknown(error));
      }
    }
  }
}
