import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Hands each connection to the next of several services, as a plain balancer of connections does. */
export interface Proxy {
  address: string;
  /** Of services: which one a browser asks something next, told while it is asked. */
  nextAsked: () => Promise<string>;
  /** How many connections each service got, by its address. */
  served: ReadonlyMap<string, number>;
  end: () => Promise<void>;
}

/** A service that refuses connections is left out of them; what was under way there is cut off. */
export async function startProxy(addresses: readonly string[]): Promise<Proxy> {
  const served = new Map(addresses.map((address) => [address, 0]));
  const open = new Set<Socket>();
  let turn = 0;
  let waiting: ((address: string) => void)[] = [];
  const server = createServer((client) => {
    keep(client);
    const first = turn++;
    join(client, (attempt) => addresses[(first + attempt) % addresses.length] ?? "", 0);
  });

  function keep(socket: Socket): void {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => undefined); // "close" follows
  }

  function join(client: Socket, next: (attempt: number) => string, attempt: number): void {
    const address = next(attempt);
    const { hostname, port } = new URL(address);
    const service = connect(Number(port), hostname);
    keep(service);
    let isJoined = false;
    service.once("connect", () => {
      isJoined = true;
      served.set(address, (served.get(address) ?? 0) + 1);
      client.on("data", () => {
        for (const tell of waiting) tell(address);
        waiting = [];
      });
      client.pipe(service).pipe(client);
    });
    service.on("close", () => {
      if (isJoined || attempt + 1 >= addresses.length) client.destroy();
      else join(client, next, attempt + 1);
    });
    client.on("close", () => service.destroy());
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    nextAsked: () => new Promise((tell) => waiting.push(tell)),
    served,
    end: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Hands connections to one server, as long as it is open; while it is shut nobody answers there. */
export interface Gate {
  address: string;
  open: () => Promise<void>;
  shut: () => Promise<void>;
}

export async function startGate(server: string): Promise<Gate> {
  const { hostname, port: ownPort } = new URL(server);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined); // "close" follows
  };
  const gate = createServer((client) => {
    const behind = connect(Number(ownPort), hostname);
    keep(client);
    keep(behind);
    client.pipe(behind).pipe(client);
    client.on("close", () => behind.destroy());
    behind.on("close", () => client.destroy());
  });
  gate.listen(0, "127.0.0.1");
  await once(gate, "listening");
  const { port } = gate.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    open: async () => {
      if (gate.listening) return;
      gate.listen(port, "127.0.0.1");
      await once(gate, "listening");
    },
    shut: async () => {
      if (!gate.listening) return;
      gate.close();
      for (const socket of sockets) socket.destroy();
      await once(gate, "close");
    },
  };
}
