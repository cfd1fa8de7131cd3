@main
struct Synod {
    static func main() {}
}
