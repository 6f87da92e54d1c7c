"""Short messages as customers of a crypto exchange write them, and what can be told of each. All made up for this test.

One message a line. UNDECIDABLE are those of which nobody could say for certain which of our languages they are in:
whatever a detector says of them would be a wrong offer to somebody.
"""

from __future__ import annotations

JA = """
入金が反映されません
昨日送ったビットコインがまだ届いていません
ログインできないです
二段階認証のコードが届きません
スマホを機種変更したら認証アプリが使えなくなりました
口座開設
口座開設の審査はどのくらいかかりますか
取引履歴
取引履歴をCSVでダウンロードしたいです
出金を急いでいます。いつになりますか？
本人確認が否認されました。理由を教えてください
パスワードを忘れました
残高がおかしい
手数料が高すぎませんか
間違ったアドレスに送ってしまいました、助けてください
身に覚えのない出金があります！！
不正ログインかもしれません
はい
ありがとうございます
ありがとう😊
お願いします🙏
まだですか
至急対応
至急対応願います
手数料確認
本人確認審査状況確認
仮想通貨送金
USDTをTRC20で送りました。TXIDは 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b です
0.5BTCを出金したいのですが
アプリ login できない
ｱﾌﾟﾘが落ちます
KYCの書類は何が必要？
マイナンバーカードでも大丈夫でしょうか
住所変更の手続きを知りたい
銀行振込の名義が違うと言われました
取引所の約定が遅い
指値注文が約定しない
メールアドレスを変更したい
メールが来ない
電話番号変更
凍結されたアカウントを解除してほしい
なぜ制限されているのですか
レバレッジ取引を始めたい
スプレッドが広すぎる
API keyの発行方法は？
解約したいです
退会手続
ETHのガス代っていくらですか
送金先のアドレスを登録できません
出金依頼
日本円出金
円の入金はいつ反映されますか
ステーキングの報酬がもらえていません
キャンペーンの対象になりますか？
田中と申します。先日の件ですが
こんにちは
すみません
もしもし？
わかりました
いつ直りますか
チャートが表示されない
暗号資産の税金について
セキュリティ設定を見直したい
担当者に代わってください
英語じゃなくて日本語でお願いします
コードが間違っていると出ます
送金先を間違えた
至急連絡希望
残高照会
取引停止理由
振込確認
申込済
ウォレットの作り方
暗証番号
入金したのに
手続きの途中で止まりました
開かない
出金制限解除
銘柄追加
口座凍結
年齢制限
未反映
何日かかりますか
楽天銀行から振込
名前の漢字が違います
仮パスワード
重い
画面が真っ白
書類再提出
再審査
家族が使えるか知りたい
助けて
金額間違い
入金額相違
質問
渡邉様
"""

HANS = """
提现不到账
我的提现还没有到账
充值了两个小时还没到
怎么修改密码
忘记密码了
验证码收不到
账户被冻结了
我的账号登不上去
身份认证一直审核中
实名认证失败了怎么办
手续费太高了
转错地址了，能找回吗
USDT转到TRC20了，没有到账
TXID 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b 请帮我查一下
请问客服在吗
人工客服
有人吗
为什么限制我的账户
手机丢了，谷歌验证器打不开
怎么解除绑定
我想换邮箱
余额不对
什么时候到账
多久能到
谢谢
你好
您好，请问一下
我不是本人操作的，账户被盗了！
有一笔提现不是我操作的
订单取消不了
合约爆仓了
爆仓价格不对
K线图不显示
app打不开
下载不了
交易记录在哪里看
可以开发票吗
怎么购买比特币
银行卡被拒
为什么还没处理
快点处理
已经三天了
我要投诉
请问怎么联系人工
邀请奖励没有发
质押收益什么时候发放
API密钥怎么创建
提币地址白名单怎么设置
还在审核吗
页面打不开
转账失败
收不到邮件
怎么提现
护照可以吗
为什么要等
人呢
客服在哪
我的钱呢
汇率不对
解冻
换绑手机
能不能快点
充值失败
登不上
充错链了
合约怎么平仓
还要多久
注销账号
刷脸失败
资金密码
不会操作
币没了
价格不动了
可以退款吗
"""

HANT = """
提款還沒到帳
我的提領什麼時候會到
入金兩個小時了還沒收到
密碼忘記了
驗證碼收不到
帳戶被凍結
我的帳號登不進去
身分驗證一直在審核
手續費太高了吧
轉錯地址怎麼辦
請問有客服嗎
有人在嗎
為什麼限制我的帳戶
手機掉了，驗證器打不開
想更換信箱
餘額不對
多久會到帳
謝謝
你好，請問一下
帳戶被盜了，不是我操作的！
訂單無法取消
圖表顯示不出來
app打不開
交易紀錄在哪裡看
怎麼買比特幣
銀行卡被拒絕
已經三天了
我要申訴
邀請獎勵沒有發
質押收益什麼時候發放
提幣地址白名單怎麼設定
還在審核嗎
USDT轉到TRC20，沒有入帳
可以幫我查一下嗎 TXID 9b0fc92260312ce44e74ef369f5c66bc85b8a7d7d9e6d2e5b5b1c3a0f1d2e3c4
麻煩盡快處理
無法登入
簡訊驗證碼沒收到
開戶需要什麼文件
國外可以用嗎
頁面打不開
轉帳失敗
怎麼提領
護照可以嗎
為何要等
我的錢呢
匯率不對
解凍帳戶
換綁手機
能不能快一點
充錯鏈了
合約怎麼平倉
還要多久
註銷帳號
刷臉失敗
資金密碼
幣不見了
可以退款嗎
手機
"""

ZH = """
我要提款
真人客服
客服在哪
收不到信
登不上
多久可以收到
"""
"""In whichever script: all of their characters are written alike in both."""

EN = """
my withdrawal is stuck
where is my money
I can't log in to my account
please help me
my deposit is not showing
how long does a withdrawal take?
I lost my phone and can't use the authenticator
verification code not received
why is my account locked
I sent BTC to the wrong address
how do I change my email
I forgot my password
is there a human I can talk to
any update on this?
still waiting
it's been three days
someone hacked my account!!
I did not make this withdrawal
there is a transaction that I don't recognise
please freeze my account now
how much is the fee
what are the fees for USDT on TRC20
my order was not filled
I want to cancel my order
can you check TXID 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b
sent 0.5 BTC to bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh two hours ago
my KYC was rejected, why?
which documents do you accept
I'm from Singapore, can I open an account?
the app keeps crashing
the website does not load
thank you so much
thanks for your help
that worked, thanks!
no it is still not working
yes I already tried that
I don't understand
do you speak English?
can I talk to someone in English please
when will staking rewards be paid
how do I export my trades
my bank rejected the transfer
please respond asap
are you there?
what does this error mean
My name is 田中太郎 and I cannot withdraw
Hi, I need help with my account
i have been waiting for 2 hours
the price on the chart is wrong
I would like to close my account
Page not loading
need to speak with an agent
wrong network, help
when does the market open
what happened to my coins
card declined at checkout
how to enable 2FA
I was charged twice
my limit is too low
could you unlock it
someone logged in from Russia
the email never arrived
where can I see my history
please advise
it says insufficient balance
I was scammed
no reply since Monday
do I pay tax on this
why the delay
is trading halted?
refund please
can I use a passport
this is urgent
the fee is higher than expected
stuck on pending for hours
"""

KO = """
출금이 안 돼요
입금이 반영되지 않았어요
비밀번호를 잊어버렸어요
안녕하세요
로그인이 안 됩니다
수수료가 얼마인가요
계정이 잠겼어요
인증번호가 안 와요
감사합니다
도와주세요 USDT 출금 문제
"""

UNDECIDABLE = """
入金確認
入金
出金
確認
開設
取消
注文
注文取消
安全
資料
銀行
凍結
渡邊太郎
齋藤國雄
澤田花子
田中
林
王
高橋一郎
東京
香港
大阪市北区
BTC
0.5BTC
1,000 USDT
ok
OK
OK👍
hello
hi
thx
lol
thanks
KYC
2FA
login error
Login failed
KYC pending
API key error
password reset
Google Authenticator
Binance
MetaMask
iPhone 15 Pro
TXID
4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b
bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh
0x52908400098527886E0F7030069857D2E4169EE7
https://example.com/help/how-to-withdraw-my-money
taro.yamada@example.com
WD-20260101-8842
12345
?
？？？
...
😭😭😭
👍
🙏🙏
(´・ω・`)
¯\\_(ツ)_/¯
www
ｗｗｗ
`print("hello world, this is a test of the code")`
+81 90 1234 5678
2026-01-03 12:30
bonjour, je n'arrive pas à retirer
hola necesito ayuda
no me deja entrar
meine auszahlung ist nicht angekommen
per favore aiutatemi
não consigo sacar
tolong bantu saya
hindi ako maka withdraw
rut tien khong duoc
không rút được tiền
nyukin dekimasen
wo de ti xian mei dao zhang
Привет, помогите
สวัสดีครับ
مرحبا
नमस्ते
账户のログイン
BTC → USDT
K7Q2
Taro Yamada
Shibuya, Tokyo
John Smith
佐々木
鈴木一郎 090-1234-5678
東京都港区六本木
承知
了解
至急
問題
電話
金額
数量
100万円
本人
明日
今日
感謝
OK thanks
yes
no
done
test
Error 500
Bitcoin
Ledger Nano
PayPay
LINE Pay
deposit
withdrawal
USDT withdrawal pending
hola
danke
merci beaucoup
selamat pagi
salam
help
Hello!!
support
nani
xiexie
order #1234
中村
王小明
李華
陳
國際
会員
國
圓
銀座
"""


def lines(block: str) -> list[str]:
    return [line for line in block.strip().splitlines() if line]


DECIDABLE = [
    (language, message)
    for language, block in {"ja": JA, "zh-Hans": HANS, "zh-Hant": HANT, "zh": ZH, "en": EN, "ko": KO}.items()
    for message in lines(block)
]
"""(language, message)"""
