import ModelChecking

extension ModelCatalogue {
    private static func servers(_ standard: Int) -> Parameter {
        Parameter("servers", "servers", .number(1...8), standard: .number(standard))
    }
    private static let clients = Parameter(
        "clients", "clients, each of which puts once and then gets once", .number(1...RegisterClient.most),
        standard: 2)

    private static func entry<Server: RegisterServer>(
        _ name: String, _ summary: String, servers standard: Int, _: Server.Type
    ) -> Entry {
        Entry(name: name, summary: summary, parameters: [servers(standard), clients]) {
            (values) throws(CatalogueError) in
            CheckableModel(
                RegisterSystem<Server>(servers: values["servers"], clients: values["clients"]), name, values)
        }
    }

    static let actorPaxos = entry(
        "actor-paxos", "single-decree Paxos as message-passing servers with clients", servers: 3,
        PaxosServer.self)
    static let abdRegister = entry(
        "abd-register", "the register of Attiya, Bar-Noy and Dolev, kept by a majority", servers: 2,
        ABDServer.self)
    static let singleCopyRegister = entry(
        "single-copy-register", "a register kept by one server; wrong with more than one", servers: 1,
        SingleCopyServer.self)
}
