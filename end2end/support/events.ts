/** One server-sent event. */
export interface Event {
  id: string;
  name: string;
  data: any;
}

/** Reads a stream of events until the server ends it, as a program that is not a browser does. */
export async function* readEvents(url: string, lastEventId?: string): AsyncGenerator<Event> {
  const answer = await fetch(url, { headers: lastEventId ? { "Last-Event-ID": lastEventId } : {} });
  if (!answer.ok || !answer.body) throw new Error(`${url} answered ${answer.status}`);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = parse(text.slice(0, end));
      text = text.slice(end + 2);
      if (event) yield event;
    }
  }
}

/** An event from its lines; nothing for a comment, which keeps the connection open. */
function parse(block: string): Event | undefined {
  const field = (name: string) =>
    block
      .split("\n")
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ""))
      .join("\n");
  const data = field("data");
  return data === "" ? undefined : { id: field("id"), name: field("event"), data: JSON.parse(data) };
}
